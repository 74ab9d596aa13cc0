/** Workers on one database, and what befalls them: what must hold whatever does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openEngine } from "../../src/cli/engines.ts";
import type { Entry } from "../../src/core/entries.ts";
import { Flujo } from "../../src/flujo.ts";
import { inbox } from "../../src/lens/inbox.ts";
import type { Store } from "../../src/ports/store.ts";
import { memory } from "../../src/stores/memory.ts";
import { postgres } from "../../src/stores/postgres.ts";
import type { Chance } from "../../src/testing/chance.ts";
import { type OpenAIServer, openaiServer } from "../../src/testing/openai-server.ts";
import type { PostgresServer } from "../servers/postgres.ts";
import claims from "./app/claims.ts";

const bin = join(import.meta.dirname, "../../bin/flujo.js");
const app = join(import.meta.dirname, "app");

export interface Plan {
  readonly runs: number;
  readonly workers: number;
  /** Workers killed at random while they are at work, one every so many milliseconds, until there were so many. */
  readonly kills: number;
  readonly killEveryMs: number;
  /** Times the database is ended at once, and started again. */
  readonly restarts: number;
  /** As `--engine` takes it, of the database's own address. Default: none. */
  readonly engine?: (url: string) => string;
  readonly chance: Chance;
}

/** What a series came to. */
export interface Figures {
  readonly kills: number;
  readonly restarts: number;
  /** Bodies that ran, and those that are recorded: the others were in flight when their process ended. */
  readonly executions: number;
  readonly recorded: number;
  /** Requests the models' server was sent, beyond one a run. */
  readonly requestsAgain: number;
  readonly tookMs: number;
}

/** The shared budget: more than all can cost, also what is in doubt. */
const scope = { scope: "team", cost: "$1" } as const;
const limit = 1_000_000_000_000n;
const answerOf = (prompt: string) => ({ approved: !prompt.includes("7"), note: prompt });
const replyTo = ({ text }: { readonly text: string }): string => `${text.split(" ").at(-1)} is sound`;

/**
 * Submits runs, and does to the workers and the database what the plan says, until all have ended.
 *
 * @throws when a run ends otherwise than undisturbed, or more than once; when something recorded is done again; when an answer
 *   is lost; when the shared budget is passed, or pays less than what was billed.
 */
export async function series(server: PostgresServer, plan: Plan): Promise<Figures> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "flujo-fleet-"));
  await using models = await openaiServer({
    reply: replyTo,
    latencyMs: ({ index }) => (index < plan.runs ? 0 : 200),
  });
  process.env.OPENAI_API_KEY = "test"; // of the run undisturbed, in this process
  process.env.OPENAI_BASE_URL = models.url;
  const expected = await undisturbed(plan.runs);
  const before = { requests: models.requests.length, billed: models.billedPicoUsd };
  const store = postgres(server.url);
  const engine = plan.engine?.(server.url);
  const log = join(folder, "log");
  const ended = new AbortController();
  const fleet = new Fleet({ store: server.url, engine, models, log });
  try {
    await submitAll(store, engine, plan);
    for (let i = 0; i < plan.workers; i++) fleet.add();
    const answering = answerAll(store, ended.signal);
    const [befell] = await Promise.all([
      trouble(fleet, server, plan, ended.signal),
      allEnded(store, plan.runs).then(() => ended.abort()),
    ]);
    await answering;
    const journals = await Promise.all(Object.keys(expected).map((id) => store.read(id, 0, 10_000)));
    const recorded = journals.flatMap((journal, i) =>
      checkJournal(Object.keys(expected)[i] ?? "", journal ?? [], Object.values(expected)[i]),
    );
    await checkMoney(store, models.billedPicoUsd - before.billed);
    const executions = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    const lost = recorded.filter((one) => !executions.includes(one));
    if (lost.length > 0) throw new Error(`recorded, and never done: ${lost.join(", ")}`);
    return {
      ...befell,
      executions: executions.length,
      recorded: recorded.length,
      requestsAgain: models.requests.length - before.requests - plan.runs,
      tookMs: Math.round(performance.now() - began),
    };
  } finally {
    ended.abort();
    await fleet.end();
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

const idOf = (i: number): string => `claim-${i}`;

/** The outputs without any fault, in this process. */
async function undisturbed(runs: number): Promise<{ readonly [runId: string]: string }> {
  const store = memory();
  await using flujo = new Flujo(claims, { store, scopes: [scope] });
  const outputs: Record<string, string> = {};
  for (let i = 0; i < runs; i++) {
    const waiting = await flujo.run(i, { runId: idOf(i) });
    if (waiting.status !== "waiting") throw new Error(`undisturbed, a run is ${waiting.status}`);
    const [item] = (await inbox(store)).filter(({ runId }) => runId === idOf(i));
    await flujo.signal(idOf(i), item?.path ?? "", answerOf(item?.prompt ?? ""));
    const result = await flujo.resume(idOf(i)).result();
    if (result.status !== "completed") throw new Error(`undisturbed, a run is ${result.status}`);
    outputs[idOf(i)] = result.output;
  }
  return outputs;
}

async function submitAll(store: Store, engine: string | undefined, { runs }: Plan): Promise<void> {
  const dispatcher = engine === undefined ? undefined : await openEngine(engine);
  await using flujo = new Flujo(claims, {
    store,
    scopes: [scope],
    takeOver: false,
    ...(dispatcher === undefined ? {} : { dispatcher }),
  });
  for (let i = 0; i < runs; i++) {
    const options = { runId: idOf(i), tenant: `tenant-${i % 3}`, priority: i % 2 };
    await flujo.submit(i, options);
    await flujo.submit(i, options); // whoever is not sure does it again
  }
  await dispatcher?.close();
}

/** Answers, as a person would, whatever is asked; each once. */
async function answerAll(store: Store, ended: AbortSignal): Promise<void> {
  await using flujo = new Flujo(claims, { store, takeOver: false });
  const answered = new Set<string>();
  while (!ended.aborted) {
    for (const { runId, path, prompt } of await inbox(store).catch(() => [])) {
      if (answered.has(runId)) continue;
      await flujo.signal(runId, path, answerOf(prompt)).then(
        () => answered.add(runId),
        (error: { code?: string; retryable?: boolean }) => {
          // The database was away: whether it has come nobody knows, and a second one is refused where it has.
          if (error.code === "signal-refused" || error.code === "run-ended") answered.add(runId);
        },
      );
    }
    await pause(50);
  }
}

/** Kills, stops and restarts, as the plan says and for as long as there is work. */
async function trouble(
  fleet: Fleet,
  server: PostgresServer,
  plan: Plan,
  ended: AbortSignal,
): Promise<Pick<Figures, "kills" | "restarts">> {
  const { kills, killEveryMs, restarts, chance } = plan;
  const stopped = await fleet.stopOne(); // past its lease
  const befell = { kills: 0, restarts: 0 };
  while (befell.kills < kills && (await fleet.killOne(chance, ended))) {
    fleet.add();
    if (restarts > 0 && befell.kills % Math.ceil(kills / restarts) === 0) {
      await server.restart();
      befell.restarts += 1;
    }
    befell.kills += 1;
    await pause(killEveryMs);
  }
  await pause(2_500);
  stopped.goOn();
  return befell;
}

async function allEnded(store: Store, runs: number): Promise<void> {
  for (;;) {
    const all = await store.list({ limit: runs + 1 }).catch(() => []);
    const open = all.filter(({ status }) => status === "running" || status === "waiting");
    if (all.length === runs && open.length === 0) return;
    await pause(100);
  }
}

const ends = new Set(["run-completed", "run-failed", "run-halted", "run-cancelled"]);

/** @returns the bodies it records, as the log names them. */
function checkJournal(runId: string, journal: readonly Entry[], expected: string | undefined): string[] {
  const outcomes = journal.filter(({ type }) => ends.has(type));
  const [outcome] = outcomes;
  if (outcomes.length !== 1 || outcome?.type !== "run-completed" || journal.at(-1) !== outcome)
    throw new Error(`run ${runId} ends so: ${outcomes.map(({ type }) => type).join(", ")}`);
  const steps = journal.filter(
    (entry) => entry.type === "step-completed" || entry.type === "operation-completed",
  );
  const paths = steps.map(({ path }) => path);
  if (new Set(paths).size !== paths.length)
    throw new Error(`run ${runId} records an operation twice: ${paths}`);
  const last = steps.findLast((entry) => entry.path === "/claims/close");
  if (last?.output !== expected)
    throw new Error(`run ${runId} gives ${JSON.stringify(last?.output)}, undisturbed ${expected}`);
  if (journal.filter(({ type }) => type === "signal-received").length !== 1)
    throw new Error(`run ${runId} was answered once, and records otherwise`);
  return ["read", "close"].map((what) => `${runId} ${what}`);
}

async function checkMoney(store: Store, billed: bigint): Promise<void> {
  const [account] = await store.accounts({ scopes: ["team"] });
  if (account === undefined) throw new Error("there is no shared account");
  const held = account.holds.reduce((sum, { amount }) => sum + BigInt(amount.picoUsd), 0n);
  const posted = BigInt(account.posted.picoUsd);
  if (posted + held > limit) throw new Error(`the shared budget is passed: ${posted} + ${held}`);
  if (posted + held < billed)
    throw new Error(`${billed} was billed, and ${posted} + ${held} is accounted for`);
}

function isAtWork(worker: ChildProcess): Promise<ChildProcess> {
  return new Promise((resolve) => {
    worker.stdout?.on("data", (lines: Buffer) => {
      if (lines.toString().includes("run-advanced")) resolve(worker);
    });
  });
}

interface FleetParts {
  readonly store: string;
  readonly engine: string | undefined;
  readonly models: OpenAIServer;
  readonly log: string;
}

/** The workers that live. */
class Fleet {
  readonly #parts: FleetParts;
  readonly #workers = new Set<ChildProcess>();
  /** One that is stopped is not killed: it is to go on. */
  #stopped: ChildProcess | undefined;
  readonly #atWork = new Set<ChildProcess>();
  #said = "";

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  add(): void {
    const { store, engine, models, log } = this.#parts;
    const args = ["worker", "--pipelines", app, "--store", store, "--concurrency", "8", "--json"];
    const child = spawn(
      process.execPath,
      [bin, ...args, ...(engine === undefined ? [] : ["--engine", engine])],
      {
        env: { ...process.env, OPENAI_API_KEY: "test", OPENAI_BASE_URL: models.url, LOG: log },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    void isAtWork(child).then(() => this.#atWork.add(child));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
    child.once("exit", (code) => {
      this.#workers.delete(child);
      if (code !== null) this.#said += `\na worker ended with code ${code}\n`;
    });
    this.#workers.add(child);
  }

  /** Kills one that is at work, once there is one. False: there is no more work. */
  async killOne(chance: Chance, ended: AbortSignal): Promise<boolean> {
    const alive = (): ChildProcess[] => [...this.#workers].filter((worker) => worker !== this.#stopped);
    const atWork = (): ChildProcess[] => alive().filter((worker) => this.#atWork.has(worker));
    while (atWork().length === 0) {
      if (alive().length === 0) throw new Error(`no worker lives:\n${this.#said}`);
      if (ended.aborted) return false;
      await pause(20);
    }
    const victim = chance.pick(atWork());
    const gone = once(victim, "exit");
    victim.kill("SIGKILL");
    await gone;
    return true;
  }

  /** Stops the first one that has a run under way, as a machine that hangs does. */
  async stopOne(): Promise<{ readonly goOn: () => void }> {
    const worker = await Promise.race([...this.#workers].map(isAtWork));
    this.#stopped = worker;
    worker.kill("SIGSTOP");
    return {
      goOn: () => {
        worker.kill("SIGCONT");
        this.#stopped = undefined;
      },
    };
  }

  async end(): Promise<void> {
    await Promise.all(
      [...this.#workers].map(async (worker) => {
        const gone = once(worker, "exit");
        worker.kill("SIGKILL");
        await gone;
      }),
    );
  }
}

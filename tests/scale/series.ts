/** Runs on a fleet of workers, among faults, and what must hold whatever these are. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openEngine } from "../../src/cli/engines.ts";
import { openStore } from "../../src/cli/stores.ts";
import type { Entry } from "../../src/core/entries.ts";
import { Flujo } from "../../src/flujo.ts";
import { inbox } from "../../src/lens/inbox.ts";
import { verify } from "../../src/lens/verify.ts";
import type { Store } from "../../src/ports/store.ts";
import { memory } from "../../src/stores/memory.ts";
import { type OpenAIServer, openaiServer, type ServedRequest } from "../../src/testing/openai-server.ts";
import claims from "./app/claims.ts";
import { Fleet } from "./fleet.ts";
import { type Costs, checkPurses, costsOf, type Purse, purseOf, raise, scopesOf } from "./purses.ts";
import { type Befell, type Plan, type Server, trouble } from "./trouble.ts";

/** What a series came to. */
export interface Figures extends Befell {
  /** Runs that `pressed` paid for, and those it refused; those that `raised` refused at first. */
  readonly paid: number;
  readonly refused: number;
  readonly toppedUp: number;
  /** Calls of which nobody knows what they cost, so that all that was held for them counts: of `pressed`, and of the others. */
  readonly inDoubt: readonly [pressed: number, others: number];
  /** Bodies that ran, and those that are recorded: the others were in flight when their process ended, or could not say it. */
  readonly executions: number;
  readonly recorded: number;
  /** Requests the models' server was sent, beyond one a run. */
  readonly requestsAgain: number;
  readonly tookMs: number;
}

/**
 * Submits runs, and does to workers, servers and the network what the plan says, until all have ended.
 *
 * @param servers `engine`: one of its own, or the store's; its address as `--engine` takes it.
 * @throws Error when a run ends otherwise than undisturbed, or more than once; when something recorded is done again; when an
 *   answer is lost; when a shared budget is passed, or pays less than what was billed; when something is stuck.
 */
export async function series(
  servers: { readonly store: Server; readonly engine?: Server },
  plan: Plan,
): Promise<Figures> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "flujo-fleet-"));
  const { runs } = plan;
  await using models = await openaiServer({
    reply: replyTo,
    latencyMs: ({ index }) => (index < runs ? 0 : 200),
  });
  process.env.OPENAI_API_KEY = "test"; // of what is advanced in this process
  process.env.OPENAI_BASE_URL = models.url;
  const { outputs, costs } = await undisturbed(runs);
  const log = join(folder, "log");
  process.env.LOG = log;
  const store = await openStore(servers.store.url);
  const engine = servers.engine?.url;
  const ended = new AbortController();
  const fleet = new Fleet({ store: servers.store.url, engine, modelsUrl: models.url, log });
  try {
    await submitAll(store, engine, runs, costs);
    for (let i = 0; i < plan.workers; i++) await fleet.add();
    const people = Promise.all([answerAll(store, ended.signal), topUp(store, ended.signal)]);
    const [befell] = await Promise.all([
      trouble(fleet, servers, plan, ended.signal),
      allEnded(store, runs, fleet).then(() => ended.abort()),
    ]);
    const [, toppedUp] = await people;
    const ids = Object.keys(outputs);
    const journals = await Promise.all(ids.map(async (id) => (await store.read(id, 0, 10_000)) ?? []));
    const recorded = journals.flatMap((journal, i) => checkJournal(i, journal, Object.values(outputs)[i]));
    await checkMoney(store, models, runs, costs);
    const executions = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    checkWork(recorded, executions, befell, plan.workers);
    const pressed = journals.filter((_, run) => purseOf(run) === "pressed");
    const refused = pressed.filter((journal) => journal.at(-1)?.type === "run-halted").length;
    if (refused === 0) throw new Error("pressed has refused nobody");
    return {
      ...befell,
      ...{ paid: pressed.length - refused, refused, toppedUp },
      inDoubt: [doubtsIn(pressed), doubtsIn(journals) - doubtsIn(pressed)],
      ...{ executions: executions.length, recorded: recorded.length },
      requestsAgain: models.requests.length - 2 * runs + refused,
      tookMs: Math.round(performance.now() - began),
    };
  } finally {
    ended.abort();
    await fleet.end();
    await store.close();
    delete process.env.LOG;
    rmSync(folder, { recursive: true });
  }
}

const idOf = (run: number): string => `claim-${run}`;
const answerOf = (prompt: string) => ({ approved: !prompt.includes("7"), note: prompt });
/** Long enough to cost about half of what is held for it. */
const replyTo = ({ text }: { readonly text: string }): string =>
  `${text.split(" ").at(-1)} is sound, as far as one can tell who was not there`;
const runOf = ({ text }: ServedRequest): number => Number(text.split(" ").at(-1));

interface Undisturbed {
  readonly outputs: { readonly [runId: string]: string };
  readonly costs: Costs;
}

/** The same runs without any fault or limit, in this process. */
async function undisturbed(runs: number): Promise<Undisturbed> {
  const store = memory();
  await using flujo = new Flujo(claims, { store });
  const outputs: Record<string, string> = {};
  const journals: (readonly Entry[])[] = [];
  for (let i = 0; i < runs; i++) {
    const waiting = await flujo.run(i, { runId: idOf(i) });
    if (waiting.status !== "waiting") throw new Error(`undisturbed, a run is ${waiting.status}`);
    const [item] = (await inbox(store)).items.filter(({ runId }) => runId === idOf(i));
    await flujo.signal(idOf(i), item?.path ?? "", answerOf(item?.prompt ?? ""));
    const result = await flujo.resume(idOf(i)).result();
    if (result.status !== "completed") throw new Error(`undisturbed, a run is ${result.status}`);
    outputs[idOf(i)] = result.output;
    journals.push((await store.read(idOf(i), 0, 10_000)) ?? []);
  }
  return { outputs, costs: costsOf(journals) };
}

async function submitAll(
  store: Store,
  engine: string | undefined,
  runs: number,
  costs: Costs,
): Promise<void> {
  const dispatcher = engine === undefined ? undefined : await openEngine(engine, "submitter");
  const handing = dispatcher === undefined ? {} : { dispatcher };
  await using flujo = new Flujo(claims, { store, takeOver: false, ...handing });
  for (let i = 0; i < runs; i++) {
    const options = {
      runId: idOf(i),
      tenant: `tenant-${i % 3}`,
      priority: i % 2,
      scopes: scopesOf(i, costs),
    };
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
    const { items } = await inbox(store).catch(() => ({ items: [] }));
    for (const { runId, path, prompt } of items) {
      if (answered.has(runId)) continue;
      await flujo.signal(runId, path, answerOf(prompt)).then(
        () => answered.add(runId),
        (error: { code?: string }) => {
          // The database was away: whether it has come nobody knows, and a second one is refused where it has.
          if (error.code === "signal-refused" || error.code === "run-ended") answered.add(runId);
        },
      );
    }
    await pause(50);
  }
}

/** Gives `raised` more once it has refused somebody, and goes on with whom it has refused. Returns how many. */
async function topUp(store: Store, ended: AbortSignal): Promise<number> {
  await using flujo = new Flujo(claims, { store, takeOver: false, lease: "2s" });
  const goneOn = new Set<string>();
  while (!ended.aborted) {
    for (const runId of await refusedBy("raised", store).catch(() => [])) {
      // The database may be away, now or in between: the next look finds what has not come to pass.
      const work = raise(store).then(() => flujo.resume(runId).result());
      const went = await work.catch(() => undefined);
      if (went !== undefined) goneOn.add(runId);
    }
    await pause(100);
  }
  return goneOn.size;
}

async function refusedBy(purse: Purse, store: Store): Promise<readonly string[]> {
  const halted = await store.list({ status: ["halted"], limit: 10_000 });
  return halted.map(({ runId }) => runId).filter((id) => purseOf(Number(id.split("-").at(-1))) === purse);
}

/** Nothing takes nearly so long, once nothing befalls anybody any more. */
const longestMs = 240_000;

/** @throws Error when nothing ends any more. */
async function allEnded(store: Store, runs: number, fleet: Fleet): Promise<void> {
  let [left, since] = [runs, performance.now()];
  for (;;) {
    const all = await store.list({ limit: runs + 1 }).catch(() => []);
    const owed = new Set(await refusedBy("raised", store).catch(() => ["unknown"]));
    const open = all.filter(
      ({ status, runId }) => ["running", "waiting"].includes(status) || owed.has(runId),
    );
    if (all.length === runs && owed.size === 0 && open.length === 0) return;
    if (all.length === runs && open.length < left) [left, since] = [open.length, performance.now()];
    if (performance.now() - since > longestMs)
      throw new Error(
        `stuck: ${JSON.stringify(open.slice(0, 5))} and ${left} in all\n${fleet.said.slice(-5_000)}`,
      );
    await pause(100);
  }
}

const doubtsIn = (journals: readonly (readonly Entry[])[]): number =>
  journals.flat().filter((entry) => entry.type === "budget-settled" && entry.doubt).length;

const ends = new Set(["run-completed", "run-failed", "run-halted", "run-cancelled"]);

/** @returns the bodies it records, as the log names them. */
function checkJournal(run: number, journal: readonly Entry[], expected: string | undefined): string[] {
  const runId = idOf(run);
  const purse = purseOf(run);
  const last = journal.at(-1);
  const isRefused = purse === "pressed" && last?.type === "run-halted";
  const outcomes = journal.filter(({ type }) => ends.has(type));
  const mayStandBefore = outcomes
    .slice(0, -1)
    .every(({ type }) => purse === "raised" && type === "run-halted");
  if (!mayStandBefore || outcomes.at(-1) !== last || (last?.type !== "run-completed" && !isRefused))
    throw new Error(`run ${runId} ends so: ${outcomes.map((outcome) => JSON.stringify(outcome)).join(", ")}`);
  const steps = journal.filter(
    (entry) => entry.type === "step-completed" || entry.type === "operation-completed",
  );
  const paths = steps.map(({ path }) => path);
  if (new Set(paths).size !== paths.length)
    throw new Error(`run ${runId} records an operation twice: ${paths}`);
  const closed = steps.findLast((entry) => entry.path === "/claims/close");
  if (closed?.output !== (isRefused ? undefined : expected))
    throw new Error(`run ${runId} gives ${JSON.stringify(closed?.output)}, undisturbed ${expected}`);
  if (journal.filter(({ type }) => type === "signal-received").length !== (isRefused ? 0 : 1))
    throw new Error(`run ${runId} was answered once, and records otherwise`);
  return (isRefused ? ["read"] : ["read", "close"]).map((what) => `${runId} ${what}`);
}

/** The accounts against the server's own bill, their limits, and what all the journals say. */
async function checkMoney(store: Store, models: OpenAIServer, runs: number, costs: Costs): Promise<void> {
  const billedTo = (purse: Purse): bigint =>
    models.billedFor(
      (request) => request.index >= runs && (purse === "team" || purseOf(runOf(request)) === purse),
    );
  await checkPurses(store, billedTo, costs);
  const { faults } = await verify(store);
  if (faults.length > 0) throw new Error(`books and journals differ: ${JSON.stringify(faults.slice(0, 5))}`);
}

/** What one worker has under way at once, at most. */
const concurrency = 8;

function checkWork(
  recorded: readonly string[],
  executions: readonly string[],
  { kills, restarts, cuts }: Befell,
  workers: number,
): void {
  const ran = new Set(executions);
  const lost = recorded.filter((one) => !ran.has(one));
  if (lost.length > 0) throw new Error(`recorded, and never done: ${lost.join(", ")}`);
  // Each time somebody is killed, cut off or stopped, what that worker has under way may be lost; with a server, what all have.
  const mostLost = concurrency * (kills + cuts + 1 + restarts * workers);
  const again = executions.length - recorded.length;
  if (again > mostLost) throw new Error(`${again} bodies ran and are not recorded; at most ${mostLost} may`);
}

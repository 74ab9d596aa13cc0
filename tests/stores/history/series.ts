/** Many processes on one store, among faults, and what its history says of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openStore } from "../../../src/cli/stores.ts";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Store } from "../../../src/ports/store.ts";
import type { Chance } from "../../../src/testing/chance.ts";
import { type Call, callsIn, lineOf } from "../../../src/testing/history/call.ts";
import { checkJournals } from "../../../src/testing/history/journals.ts";
import { checkLedger } from "../../../src/testing/history/ledger.ts";
import { recorded } from "../../../src/testing/history/recorded.ts";
import { type Gate, gateTo } from "../../servers/gate.ts";
import { sharedClock } from "./clock.ts";
import { begin, contested } from "./work.ts";

/** A store, and what can befall it. */
export interface Subject {
  /** As `--store` takes it. */
  readonly uri: string;
  /** Of one behind an address: ends its server without warning, and starts it again. */
  readonly restart?: () => Promise<void>;
  /** Whether such an end may undo leases and holds that no commit has followed. */
  readonly forgets?: boolean;
  /** Whether an append that was fenced may stand in its journal, seen by the new owner. */
  readonly fencedMayStand?: boolean;
}

export interface Plan {
  readonly processes: number;
  /** Turns of each of the two lanes of a process. */
  readonly turns: number;
  readonly kills: number;
  /** Of stores behind an address. */
  readonly restarts: number;
  readonly cuts: number;
  readonly everyMs: number;
  readonly chance: Chance;
}

export interface Figures {
  readonly calls: number;
  /** Those that nobody was told the end of. */
  readonly unanswered: number;
  /** By what they came to: `commit appended`, `commit fenced`, `ledger granted`, `ledger refused`, … */
  readonly answers: { readonly [answer: string]: number };
  readonly kills: number;
  readonly restarts: number;
  readonly cuts: number;
  readonly tookMs: number;
  readonly checkedMs: number;
  /** What is wrong. */
  readonly journals: readonly string[];
  readonly ledger: readonly string[];
}

export async function series(subject: Subject, plan: Plan): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "flujo-history-"));
  const began = performance.now();
  const inner = await openStore(subject.uri);
  const mine: string[] = [];
  const store = recorded(inner, { process: "driver", now: sharedClock, write: (line) => mine.push(line) });
  const crew = new Crew(subject, plan, folder);
  try {
    await begin(store);
    const befell = await disturb(crew, subject, plan, (line) => mine.push(line));
    await crew.done();
    await lookAtAll(store, crew.names);
    const tookMs = Math.round(performance.now() - began);
    const files = crew.names.map((name) => join(folder, name)).filter((file) => existsSync(file));
    const calls = callsIn([mine.join(""), ...files.map((file) => readFileSync(file, "utf8"))]);
    const [journals, ledger] = [checkJournals(calls, subject), checkLedger(calls)];
    const checkedMs = Math.round(performance.now() - began) - tookMs;
    const unanswered = calls.filter(({ answer }) => answer === undefined).length;
    const counted = { calls: calls.length, unanswered, answers: answersIn(calls) };
    return { ...counted, ...befell, tookMs, checkedMs, journals, ledger };
  } finally {
    await crew.end();
    await inner.close();
    rmSync(folder, { recursive: true });
  }
}

function answersIn(calls: readonly Call[]): { readonly [answer: string]: number } {
  const counts: Record<string, number> = {};
  for (const call of calls) {
    const outcome =
      call.kind === "commit"
        ? call.answer === "refused"
          ? "refused"
          : call.answer?.[0]
        : call.kind === "ledger"
          ? call.answer?.outcome
          : undefined;
    if (outcome !== undefined)
      counts[`${call.kind} ${outcome}`] = (counts[`${call.kind} ${outcome}`] ?? 0) + 1;
  }
  return counts;
}

/** What became of everything, so that what is lost is missed. */
async function lookAtAll(store: Store, names: readonly string[]): Promise<void> {
  for (const runId of [...contested, ...names.map((name) => `own-${name}`)])
    await whenThere(() => store.read(runId, 0, 1_000_000));
  const scopes = (await whenThere(() => store.accounts({}))).map(({ scope }) => scope);
  await whenThere(() => store.accounts({ scopes }));
}

async function whenThere<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await pause(20);
    }
  }
}

async function disturb(
  crew: Crew,
  { restart, forgets }: Subject,
  { kills, restarts, cuts, everyMs, chance }: Plan,
  write: (line: string) => void,
): Promise<Pick<Figures, "kills" | "restarts" | "cuts">> {
  const befell = { kills: 0, restarts: 0, cuts: 0 };
  const faults = [
    ...Array.from({ length: kills }, () => "kills" as const),
    ...(restart === undefined ? [] : Array.from({ length: restarts }, () => "restarts" as const)),
    ...(restart === undefined ? [] : Array.from({ length: cuts }, () => "cuts" as const)),
  ].map((fault) => ({ fault, place: chance.next() }));
  const mending: Promise<void>[] = [];
  for (let i = 0; i < crew.size; i++) await crew.add();
  await crew.atWork();
  for (const { fault } of faults.sort((a, b) => a.place - b.place)) {
    await pause(everyMs);
    if (!crew.works) break;
    if (fault === "kills") await crew.replaceOne(chance);
    else if (fault === "cuts") mending.push(crew.cutOne(chance));
    else {
      const id = `crash ${befell.restarts}`;
      if (forgets) write(`${lineOf({ id, start: sharedClock(), kind: "crash", asked: null })}\n`);
      await restart?.();
      if (forgets) write(`${lineOf({ id, end: sharedClock(), answer: null })}\n`);
    }
    befell[fault] += 1;
  }
  await Promise.all(mending);
  return befell;
}

interface Member {
  readonly name: string;
  readonly child: ChildProcess;
  readonly gate: Gate | undefined;
}

/** The processes, each with a network of its own where the store is behind an address. */
class Crew {
  readonly size: number;
  readonly names: string[] = [];
  readonly #subject: Subject;
  readonly #plan: Plan;
  readonly #folder: string;
  readonly #members = new Set<Member>();
  readonly #ended: Promise<void>[] = [];
  readonly #troubles: string[] = [];

  constructor(subject: Subject, plan: Plan, folder: string) {
    this.#subject = subject;
    this.#plan = plan;
    this.#folder = folder;
    this.size = plan.processes;
  }

  get works(): boolean {
    return this.#members.size > 0;
  }

  /** @param heirOf one that has died. */
  async add(heirOf?: string): Promise<void> {
    const { uri, restart } = this.#subject;
    const name = `p${this.names.length}`;
    this.names.push(name);
    const gate = restart === undefined ? undefined : await gateTo(uri);
    const there = gate === undefined ? uri : `${gate.url}${gate.url.includes("?") ? "&" : "?"}patience=1s`;
    const { chance, turns } = this.#plan;
    const file = fileURLToPath(new URL("./process.ts", import.meta.url));
    const args = [
      there,
      join(this.#folder, name),
      name,
      chance.whole(1, 1e9),
      turns,
      ...(heirOf ? [heirOf] : []),
    ];
    const child = spawn(process.execPath, [file, ...args.map(String)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const member = { name, child, gate };
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    this.#members.add(member);
    this.#ended.push(
      once(child, "exit").then(async ([code]) => {
        this.#members.delete(member);
        if (code !== null && code !== 0) this.#troubles.push(`${name} ended with code ${code}: ${said}`);
        await gate?.shut();
      }),
    );
  }

  /** Resolves when all have asked for something. */
  async atWork(): Promise<void> {
    while ([...this.#members].some(({ name }) => !existsSync(join(this.#folder, name)))) await pause(10);
  }

  async replaceOne(chance: Chance): Promise<void> {
    const victim = chance.pick([...this.#members]);
    const gone = once(victim.child, "exit");
    victim.child.kill("SIGKILL");
    await gone;
    await this.add(victim.name);
  }

  /** Cuts one off for a while, in one of the ways in which a network fails. */
  async cutOne(chance: Chance): Promise<void> {
    const { gate, child } = chance.pick([...this.#members]);
    if (gate === undefined) return;
    await gate[chance.pick(["shut", "swallow", "hold"] as const)]();
    await Promise.race([pause(chance.whole(100, 2_000)), once(child, "exit")]);
    if (child.exitCode === null && child.signalCode === null) await gate.open();
  }

  /** @throws Error when one of them has failed. */
  async done(): Promise<void> {
    for (const ended of this.#ended) await ended;
    if (this.#troubles.length > 0) throw new Error(this.#troubles.join("\n"));
  }

  async end(): Promise<void> {
    for (const { child } of this.#members) child.kill("SIGKILL");
    for (const ended of this.#ended) await ended;
  }
}

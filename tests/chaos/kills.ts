/** `kill -9` at random moments, again and again, and what must hold after each of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Flujo } from "../../src/flujo.ts";
import { type Child, completedIn, ending, executions, journalOf, kill, start } from "./child.ts";
import type { Job, Kind } from "./job.ts";
import { pipelines, respondent, tourWidth } from "./pipelines.ts";

/** What a series of kills came to. */
export interface Figures {
  readonly kills: number;
  readonly runs: number;
  /** Operations in all runs together, and executions of their bodies: those beyond the operations were in flight. */
  readonly operations: number;
  readonly executions: number;
  /** The most work that one kill undid: bodies that had run and were not yet recorded. */
  readonly mostUndone: number;
  /** Kills that met a run under way: neither before its first entry nor after its last. */
  readonly midway: number;
}

export const input = 1;
/** Kills come this long after a process is up: a whole tour takes two to three times as long. */
const longestLifeMs = 300;
const pauseMs = [2, 14] as const;

/**
 * Kills processes that run the tour until there were so many kills. Each run killed is gone on with until it
 * completes.
 *
 * @throws when finished work was done again, more than the work in flight was lost, or a result differs.
 */
export async function series(kind: Kind, wanted: number): Promise<Figures> {
  const expected = JSON.stringify(await undisturbed());
  const total = { kills: 0, runs: 0, operations: 0, executions: 0, mostUndone: 0, midway: 0 };
  while (total.kills < wanted) {
    const folder = mkdtempSync(join(tmpdir(), "flujo-kills-"));
    const place = { kind, folder: join(folder, "store") };
    const job: Job = { pipeline: "tour", place, runId: "r", log: join(folder, "log"), input, pauseMs };
    let recorded = new Set<string>();
    let child: Child;
    for (;;) {
      child = start(job);
      const lives = total.kills < wanted ? await livesOn(child) : true;
      if (lives) break;
      total.kills += 1;
      const known = recorded;
      recorded = new Set(completedIn(await journalOf(place, "r")));
      if (recorded.size > known.size) total.midway += 1;
      const did = pathsBy(child, job);
      notAgain(did, known);
      lost(recorded, known);
      const undone = did.filter((path) => !recorded.has(path)).length;
      if (undone > tourWidth)
        throw new Error(
          `${undone} operations were done and not recorded, at most ${tourWidth} were in flight`,
        );
      total.mostUndone = Math.max(total.mostUndone, undone);
    }
    const ended = await ending(child);
    notAgain(pathsBy(child, job), recorded);
    const paths = completedIn(await journalOf(place, "r"));
    if (new Set(paths).size !== paths.length) throw new Error("an operation is recorded twice");
    lost(new Set(paths), recorded);
    if (ended.status !== "completed") throw new Error(`the run is ${ended.status}: ${ended.code}`);
    if (JSON.stringify(ended.output) !== expected)
      throw new Error(`the result differs: ${JSON.stringify(ended.output)}`);
    const bodies = executions(job.log);
    total.runs += 1;
    total.operations += new Set(bodies.map(({ path }) => path)).size;
    total.executions += bodies.length;
    rmSync(folder, { recursive: true });
  }
  return total;
}

/** The result without any kill, in this process. */
export async function undisturbed(): Promise<unknown> {
  const model = respondent(() => {}, 0);
  await using flujo = new Flujo(pipelines.tour({ work: async () => {}, model }));
  const result = await flujo.run(input);
  if (result.status !== "completed") throw new Error(`undisturbed, the run is ${result.status}`);
  return result.output;
}

/** Gives a process a random while; false: it was killed within it, true: it ended before. */
async function livesOn(child: Child): Promise<boolean> {
  await child.until("up");
  const killed = pause(Math.random() * longestLifeMs).then(() => kill(child));
  await Promise.race([child.gone, killed]);
  await killed;
  return child.messages.some(({ type }) => type === "ended" || type === "refused");
}

export const pathsBy = ({ pid }: Child, { log }: Job): string[] =>
  executions(log).flatMap((one) => (one.pid === pid ? [one.path] : []));

export function notAgain(did: readonly string[], recorded: ReadonlySet<string>): void {
  const again = did.filter((path) => recorded.has(path));
  if (again.length > 0) throw new Error(`done again although recorded: ${again.join(", ")}`);
  const twice = did.find((path, i) => did.indexOf(path) < i);
  if (twice !== undefined) throw new Error(`done twice by one process: ${twice}`);
}

export function lost(now: ReadonlySet<string>, before: ReadonlySet<string>): void {
  const missing = [...before].filter((path) => !now.has(path));
  if (missing.length > 0) throw new Error(`recorded once, and gone: ${missing.join(", ")}`);
}

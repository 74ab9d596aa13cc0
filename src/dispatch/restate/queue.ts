/** What Restate keeps of one queue, and how it changes: the handlers of a virtual object, without Restate. */
import type { Job, Taken } from "../../ports/dispatcher.ts";

/** The state of one virtual object. Nothing else changes it while one of these functions is at work. */
export interface Shelf {
  /** In their order; null for what is not there. */
  get(...keys: readonly string[]): Promise<readonly unknown[]>;
  set(key: string, value: unknown): void;
  clear(key: string): void;
}

/** A job, and how often it was left. */
export interface Kept {
  readonly job: Job;
  readonly left: number;
}

/** A worker asks for jobs. Its clock says when. */
export interface Fetch {
  readonly worker: string;
  readonly at: number;
  /** It has died when nothing is heard of it for so many milliseconds. */
  readonly lockMs: number;
  readonly most: number;
  /** The runs it has under way. What was handed to it besides never reached it. */
  readonly has: readonly string[];
}

export interface Beat {
  readonly worker: string;
  readonly at: number;
  readonly lockMs: number;
}

/** A worker waits to be told of jobs. */
export interface Wait {
  readonly worker: string;
  readonly at: number;
  /** It waits no longer than for so many milliseconds. */
  readonly forMs: number;
  /** What tells it. */
  readonly bell: string;
}

/** A worker tells what became of jobs. */
export interface Settle {
  readonly worker: string;
  readonly told: readonly { readonly runId: string; readonly taken: Taken }[];
}

/** The jobs of one priority stand in slots from the first on, up to the next that is free. */
interface Lane {
  readonly priority: number;
  readonly first: number;
  readonly next: number;
}
/** Those with jobs, that of the highest priority first. */
type Lanes = readonly Lane[];
/** Of each worker: until when it counts as alive. */
type Alive = { readonly [worker: string]: number };
/** Those that wait, the one that has waited longest first. */
type Waiting = readonly { readonly worker: string; readonly bell: string; readonly until: number }[];

const lanesKey = "lanes";
const aliveKey = "alive";
const waitingKey = "waiting";
const slotOf = (priority: number, place: number): string => `slot ${priority} ${place}`;
const jobOf = (runId: string): string => `job ${runId}`;
const heldBy = (worker: string): string => `held ${worker}`;

/**
 * Keeps jobs at the end of their priorities. Of a run no second job is kept.
 *
 * @returns the bells to be rung: one for each job, as far as somebody waits.
 * @throws TypeError for what are none: anybody who reaches Restate can send it something.
 */
export async function add(shelf: Shelf, all: readonly Kept[]): Promise<readonly string[]> {
  if (!all.every(({ job }) => isJob(job))) throw new TypeError("these are no jobs");
  const byRun = new Map(all.map((kept) => [kept.job.runId, kept]));
  const [lanes, waiting, ...known] = await shelf.get(lanesKey, waitingKey, ...[...byRun.keys()].map(jobOf));
  let now = (lanes ?? []) as Lanes; // here and below: what this file has put there
  let added = 0;
  for (const [i, kept] of [...byRun.values()].entries()) {
    if (known[i] !== null) continue;
    const { runId, priority = 0 } = kept.job;
    const lane = laneOf(now, priority);
    shelf.set(jobOf(runId), kept);
    shelf.set(slotOf(priority, lane.next), runId);
    now = withLane(now, { ...lane, next: lane.next + 1 });
    added += 1;
  }
  shelf.set(lanesKey, now);
  return wake(shelf, (waiting ?? []) as Waiting, added);
}

const isJob = ({ runId, priority = 0 }: Job): boolean =>
  typeof runId === "string" && Number.isFinite(priority);

/** Hands jobs to a worker, those of the highest priority first; before that, what dead ones had goes back to its place. */
export async function fetch(shelf: Shelf, ask: Fetch): Promise<readonly Kept[]> {
  const { worker, at, lockMs, most, has } = ask;
  const [lanesNow, aliveNow, heldNow] = await shelf.get(lanesKey, aliveKey, heldBy(worker));
  const before = (lanesNow ?? []) as Lanes;
  const alive = (aliveNow ?? {}) as Alive;
  const held = (heldNow ?? []) as readonly string[];
  const dead = Object.keys(alive).filter((one) => one !== worker && (alive[one] ?? 0) <= at);
  const theirs = (await shelf.get(...dead.map(heldBy))) as readonly (readonly string[] | null)[];
  const back = [...held.filter((runId) => !has.includes(runId)), ...theirs.flatMap((ids) => ids ?? [])];
  for (const one of dead) shelf.clear(heldBy(one));
  const { lanes, found } = await take(shelf, await putBack(shelf, before, back), most);
  if (lanes !== before) shelf.set(lanesKey, lanes);
  shelf.set(aliveKey, { ...without(alive, dead), [worker]: at + lockMs });
  const under = held.filter((runId) => has.includes(runId));
  setHeld(shelf, worker, [...under, ...found.map(({ job }) => job.runId)]);
  return found;
}

/** @returns whether there are jobs already: then it has nothing to wait for. Else one of the next jobs is its. */
export async function wait(shelf: Shelf, { worker, at, forMs, bell }: Wait): Promise<boolean> {
  const [lanes, waiting] = await shelf.get(lanesKey, waitingKey);
  const others = ((waiting ?? []) as Waiting).filter((one) => one.worker !== worker && one.until > at);
  const isThere = ((lanes ?? []) as Lanes).length > 0;
  setWaiting(shelf, isThere ? others : [...others, { worker, bell, until: at + forMs }]);
  return isThere;
}

/** A worker lives. One that counted as dead by then is one that asks anew. */
export async function beat(shelf: Shelf, { worker, at, lockMs }: Beat): Promise<void> {
  const [now] = await shelf.get(aliveKey);
  const alive = (now ?? {}) as Alive;
  if ((alive[worker] ?? 0) > at) shelf.set(aliveKey, { ...alive, [worker]: at + lockMs });
}

/** @returns the jobs that were left: they are to be added again. What is another worker's by now is not asked about. */
export async function settle(shelf: Shelf, { worker, told }: Settle): Promise<readonly Kept[]> {
  const [now, ...jobs] = await shelf.get(heldBy(worker), ...told.map(({ runId }) => jobOf(runId)));
  const held = new Set((now ?? []) as readonly string[]);
  const left: Kept[] = [];
  for (const [i, { runId, taken }] of told.entries()) {
    if (!held.delete(runId)) continue;
    shelf.clear(jobOf(runId));
    const kept = jobs[i] as Kept | null;
    if (taken === "left" && kept !== null) left.push({ ...kept, left: kept.left + 1 });
  }
  setHeld(shelf, worker, [...held]);
  return left;
}

/** A worker ends: what it has not told of goes back to its place. @returns the bells to be rung, as `add` does. */
export async function leave(shelf: Shelf, worker: string): Promise<readonly string[]> {
  const [lanes, alive, held, waiting] = await shelf.get(lanesKey, aliveKey, heldBy(worker), waitingKey);
  shelf.clear(heldBy(worker));
  shelf.set(aliveKey, without((alive ?? {}) as Alive, [worker]));
  const now = (lanes ?? []) as Lanes;
  const then = await putBack(shelf, now, (held ?? []) as readonly string[]);
  if (then !== now) shelf.set(lanesKey, then);
  const others = ((waiting ?? []) as Waiting).filter((one) => one.worker !== worker);
  return wake(shelf, others, ((held ?? []) as readonly string[]).length);
}

/** Takes so many of those that wait, and returns their bells. */
function wake(shelf: Shelf, waiting: Waiting, most: number): readonly string[] {
  setWaiting(shelf, waiting.slice(most));
  return waiting.slice(0, most).map(({ bell }) => bell);
}

/** Before all others of their priority: they have waited longest. Does not write the lanes. */
async function putBack(shelf: Shelf, lanes: Lanes, runIds: readonly string[]): Promise<Lanes> {
  const jobs = (await shelf.get(...runIds.map(jobOf))) as readonly (Kept | null)[];
  let now = lanes;
  for (const { job } of jobs.filter((one) => one !== null).toReversed()) {
    const { priority = 0 } = job;
    const lane = laneOf(now, priority);
    const first = lane.first - 1;
    shelf.set(slotOf(priority, first), job.runId);
    now = withLane(now, { ...lane, first });
  }
  return now;
}

/** As above. */
async function take(
  shelf: Shelf,
  lanes: Lanes,
  most: number,
): Promise<{ readonly lanes: Lanes; readonly found: readonly Kept[] }> {
  const slots: string[] = [];
  let now = lanes;
  for (const lane of lanes) {
    const first = Math.min(lane.next, lane.first + most - slots.length);
    for (let place = lane.first; place < first; place++) slots.push(slotOf(lane.priority, place));
    now = withLane(now, { ...lane, first });
  }
  const runIds = (await shelf.get(...slots)) as readonly string[];
  for (const slot of slots) shelf.clear(slot);
  const jobs = (await shelf.get(...runIds.map(jobOf))) as readonly (Kept | null)[];
  return { lanes: now, found: jobs.filter((job) => job !== null) };
}

function setHeld(shelf: Shelf, worker: string, runIds: readonly string[]): void {
  if (runIds.length > 0) shelf.set(heldBy(worker), runIds);
  else shelf.clear(heldBy(worker));
}

function setWaiting(shelf: Shelf, waiting: Waiting): void {
  if (waiting.length > 0) shelf.set(waitingKey, waiting);
  else shelf.clear(waitingKey);
}

const laneOf = (lanes: Lanes, priority: number): Lane =>
  lanes.find((lane) => lane.priority === priority) ?? { priority, first: 0, next: 0 };

/** One without jobs is none. */
function withLane(lanes: Lanes, lane: Lane): Lanes {
  const others = lanes.filter(({ priority }) => priority !== lane.priority);
  const all = lane.first < lane.next ? [...others, lane] : others;
  return all.toSorted((a, b) => b.priority - a.priority);
}

const without = (alive: Alive, gone: readonly string[]): Alive =>
  Object.fromEntries(Object.entries(alive).filter(([worker]) => !gone.includes(worker)));

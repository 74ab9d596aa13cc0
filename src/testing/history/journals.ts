/**
 * Whether what was appended to journals and read of them fits one order of all calls in which each takes effect in one moment
 * between its question and its answer: strict serialisability, and so linearisability of each run.
 *
 * No two entries are alike, and a journal that is read shows the order of all that is in it. So who came before whom is known,
 * and not searched for: an append before the next one, a reader behind the last it has seen and before the first it has not, a lease
 * before what was written under it and before the next lease. What was answered before another call began came before that, too.
 * There is such an order exactly where this goes in no circle (the idea of Elle: Kingsbury and Alvaro, arXiv 2003.10554).
 */
import type { Call } from "./call.ts";
import { Graph } from "./graph.ts";

type Commit = Call<"commit">;

export interface JournalOptions {
  /**
   * As it is with files: an append may be answered with `fenced` and stand in the journal, written just before the new owner has
   * read it; and be fenced by one who was about to get the lease, and lost it to another. Default false.
   */
  readonly fencedMayStand?: boolean;
}

/** What is wrong, as sentences. None: such an order exists. */
export function checkJournals(history: readonly Call[], options: JournalOptions = {}): string[] {
  const calls = history.filter(({ kind }) => kind === "commit" || kind === "read" || kind === "acquire");
  const runs = new Map<string, Run>();
  const runOf = (id: string): Run => {
    const run = runs.get(id) ?? new Run(id, calls, options);
    runs.set(id, run);
    return run;
  };
  for (const [i, call] of calls.entries()) {
    if (call.kind === "commit")
      for (const [n, append] of call.asked.entries()) runOf(append.runId).asked(i, n);
    else runOf(call.kind === "read" ? call.asked : call.kind === "acquire" ? call.asked.runId : "").heard(i);
  }
  const crashes = history.filter(({ kind }) => kind === "crash");
  const graph = new Graph(calls.length);
  const wrong = [...runs.values()].flatMap((run) => run.judge(graph, crashes));
  if (wrong.length > 0) return wrong;
  inTime(calls, graph);
  const circle = graph.circle();
  if (circle === undefined) return [];
  const steps = circle.map(({ from, why }) => `${told(calls[from])}, ${why}`);
  return [`no order explains this: ${steps.join("; ")}; ${told(calls[circle[0]?.from ?? 0])}`];
}

/** Who had been answered before others began. Of those that say nothing new, no edge is made. */
function inTime(calls: readonly Call[], graph: Graph): void {
  const moments = calls
    .flatMap(({ start, end }, i) => [
      { at: start, i, isEnd: false },
      { at: end, i, isEnd: true },
    ])
    .filter(({ at }) => at !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd));
  const latest = new Set<number>();
  const before = new Map<number, readonly number[]>();
  for (const { i, isEnd } of moments) {
    if (isEnd) {
      for (const earlier of before.get(i) ?? []) latest.delete(earlier);
      latest.add(i);
    } else {
      before.set(i, [...latest]);
      for (const earlier of latest) graph.add(earlier, i, "which was answered before the next began");
    }
  }
}

interface Piece {
  readonly call: number;
  /** Which of the commit's appends. */
  readonly append: number;
}

/** All that is known of one journal. */
class Run {
  readonly #id: string;
  readonly #calls: readonly Call[];
  readonly #pieces: Piece[] = [];
  readonly #heard: number[] = [];
  /** What stands at each place, as readers and answers say. */
  readonly #at: string[] = [];
  readonly #wrong: string[] = [];
  readonly #fencedMayStand: boolean;

  constructor(id: string, calls: readonly Call[], { fencedMayStand = false }: JournalOptions) {
    this.#fencedMayStand = fencedMayStand;
    this.#id = id;
    this.#calls = calls;
  }

  asked(call: number, append: number): void {
    this.#pieces.push({ call, append });
  }

  /** A read, or a lease asked for. */
  heard(call: number): void {
    this.#heard.push(call);
  }

  /** Adds what is known of the order. Returns what no order could explain. */
  judge(graph: Graph, crashes: readonly Call[]): string[] {
    this.#place();
    const standing = this.#standing();
    if (this.#wrong.length > 0) return this.#wrong;
    for (const [place, { call }] of standing.entries()) {
      const next = standing[place + 1];
      if (next !== undefined)
        graph.add(call, next.call, `whose entries in ${this.#id} stand before those of`);
    }
    for (const i of this.#heard) {
      const length = this.#lengthSeenBy(i);
      if (length === undefined) continue;
      const [last, next] = [standing[length - 1], standing[length]];
      if (last !== undefined) graph.add(last.call, i, "which was seen by");
      if (next !== undefined) graph.add(i, next.call, "which saw nothing yet of");
    }
    this.#fence(graph, new Set(standing), crashes);
    return this.#wrong;
  }

  #of({ call, append }: Piece): Commit["asked"][number] {
    return (this.#calls[call] as Commit).asked[append] as Commit["asked"][number]; // noted from there
  }

  #outcome({ call, append }: Piece): "appended" | "fenced" | "refused" | undefined {
    const { answer } = this.#calls[call] as Commit; // as above
    return answer === "refused" ? answer : answer?.[append];
  }

  /** Puts together what stands at each place, by all who say so. */
  #place(): void {
    const say = (place: number, entry: string, who: number): void => {
      const known = this.#at[place];
      this.#at[place] ??= entry;
      if (known !== undefined && known !== entry)
        this.#wrong.push(`${told(this.#calls[who])}: at place ${place} stands ${entry}; others say ${known}`);
    };
    for (const i of this.#heard) {
      const call = this.#calls[i];
      if (call?.kind === "read") for (const [k, entry] of (call.answer ?? []).entries()) say(k, entry, i);
    }
    for (const piece of this.#pieces) {
      if (this.#outcome(piece) !== "appended") continue;
      const { from, entries } = this.#of(piece);
      for (const [k, entry] of entries.entries()) say(from + k, entry, piece.call);
    }
  }

  /** The append that stands at each place. */
  #standing(): Piece[] {
    const byEntry = new Map(
      this.#pieces.flatMap((piece) => this.#of(piece).entries.map((entry) => [entry, piece] as const)),
    );
    const standing: Piece[] = [];
    for (let place = 0; place < this.#at.length; place++) {
      const entry = this.#at[place];
      const piece = entry === undefined ? undefined : byEntry.get(entry);
      if (entry === undefined) this.#wrong.push(`nobody knows what stands at place ${place} of ${this.#id}`);
      else if (piece === undefined) this.#wrong.push(`${this.#id} has ${entry}, which nobody has written`);
      else {
        const { from, entries } = this.#of(piece);
        if (from + entries.indexOf(entry) !== place)
          this.#wrong.push(`${entry} stands at place ${place} of ${this.#id}, not where it was written`);
        const outcome = this.#outcome(piece);
        if (outcome === "refused" || (outcome === "fenced" && !this.#fencedMayStand))
          this.#wrong.push(
            `${told(this.#calls[piece.call])} was ${outcome}, and ${entry} stands in ${this.#id}`,
          );
        standing.push(piece);
      }
    }
    for (const i of this.#heard) {
      const length = this.#lengthSeenBy(i) ?? 0;
      const last = standing[length - 1];
      if (last === undefined) continue;
      const { from, entries } = this.#of(last);
      if (from + entries.length > length)
        this.#wrong.push(`${told(this.#calls[i])} has seen a part of ${told(this.#calls[last.call])}`);
    }
    return standing;
  }

  /** Undefined of what is no read, and of one without an answer. */
  #lengthSeenBy(i: number): number | undefined {
    const call = this.#calls[i];
    return call?.kind === "read" && call.answer !== undefined ? (call.answer?.length ?? 0) : undefined;
  }

  /** What is written under a lease comes after it, and before the next; who is shut out, after the next. */
  #fence(graph: Graph, standing: ReadonlySet<Piece>, crashes: readonly Call[]): void {
    const leases = new Map<number, number>();
    let [isUnsure, hasUnheard] = [false, false];
    for (const i of this.#heard) {
      const call = this.#calls[i];
      if (call?.kind !== "acquire") continue;
      if (call.answer === undefined) hasUnheard = true;
      if (call.answer?.outcome !== "granted") continue;
      const { fence } = call.answer.lease;
      const other = this.#calls[leases.get(fence) ?? -1];
      leases.set(fence, i);
      if (other === undefined) continue;
      // A lease that nothing has been written under may be lost with the server that had granted it.
      if (crashes.some(({ start, end }) => other.start < end && start < call.end)) isUnsure = true;
      else
        this.#wrong.push(`${told(other)} and ${told(call)} were granted one fence, ${fence}, of ${this.#id}`);
    }
    if (isUnsure) return;
    const fences = [...leases.keys()].sort((a, b) => a - b);
    const after = (fence: number): number | undefined => leases.get(fences.find((one) => one > fence) ?? -1);
    for (const [k, fence] of fences.entries()) {
      const next = fences[k + 1];
      if (next !== undefined)
        graph.add(leases.get(fence) ?? -1, leases.get(next) ?? -1, "whose fence is lower than that of");
    }
    for (const piece of standing) {
      const { fence } = this.#of(piece);
      const [own, next] = [leases.get(fence), after(fence)];
      if (own !== undefined) graph.add(own, piece.call, "under whose fence came");
      if (next !== undefined && this.#outcome(piece) !== "fenced")
        graph.add(piece.call, next, "whose fence is lower than that of");
    }
    for (const piece of this.#pieces) {
      if (this.#outcome(piece) !== "fenced" || this.#fencedMayStand || hasUnheard) continue;
      const { fence } = this.#of(piece);
      const own = this.#calls[leases.get(fence) ?? -1];
      const { end: answered = 0 } = this.#calls[piece.call] ?? {};
      // As above: the lease may have been lost with the server.
      if (crashes.some(({ start, end }) => (own?.start ?? 0) < end && start < answered)) continue;
      const next = after(fence);
      if (next !== undefined) graph.add(next, piece.call, "which shut out");
      else this.#wrong.push(`${told(this.#calls[piece.call])} was fenced, and nobody had a newer lease`);
    }
  }
}

/** For messages. */
function told(call: Call | undefined): string {
  if (call?.kind === "commit") {
    const parts = call.asked.map(
      ({ runId, fence, from, entries }) =>
        `${runId}[${from}..${from + entries.length - 1}] by fence ${fence}`,
    );
    return `${call.id} (${parts.join(", ")})`;
  }
  if (call?.kind === "read") return `${call.id} (read ${call.asked}: ${call.answer?.length ?? "no"} entries)`;
  if (call?.kind === "acquire") {
    const fence = call.answer?.outcome === "granted" ? `, granted fence ${call.answer.lease.fence}` : "";
    return `${call.id} (lease of ${call.asked.runId}${fence})`;
  }
  return call?.id ?? "";
}

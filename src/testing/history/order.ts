/** A search for an order of calls that explains what they were answered. */

/** A call, as a change of some state. */
export interface Move<State> {
  readonly start: number;
  /** Infinite: no answer came; it may take effect at any moment after its start, or never. */
  readonly end: number;
  /** What the state may be after it; nothing where its answer could not be given in this one. */
  readonly after: (state: State) => readonly State[];
}

/** How far the search came: the longest order it found, and what could come next in it and does not fit. */
export interface DeadEnd<State> {
  readonly placed: number;
  readonly state: State;
  readonly next: readonly number[];
}

export interface SearchOptions {
  /** States it enters, at most. Default 200,000. */
  readonly most?: number;
  /**
   * Moves without an answer are placed only where one with an answer could come next and does not fit, and at most so many in a
   * row: a search that is short where they are many, and may overlook an order. Default: wherever they can be, any number.
   */
  readonly inARow?: number;
}

/**
 * Looks for an order of all answered moves, and of some of those without an answer, in which each follows those that had been
 * answered before it began, and fits the state. States that were met before with the same moves behind them are not entered again
 * (Wing and Gong 1993, Lowe 2017). Moves without an answer are tried last.
 *
 * @param keyOf tells states apart.
 * @returns undefined: there is such an order.
 * @throws RangeError when it has entered so many and knows neither.
 */
export function deadEnd<State>(
  moves: readonly Move<State>[],
  initial: State,
  keyOf: (state: State) => string,
  { most = 200_000, inARow = Number.POSITIVE_INFINITY }: SearchOptions = {},
): DeadEnd<State> | undefined {
  const byStart = moves.map((_, i) => i).sort((a, b) => at(moves, a).start - at(moves, b).start);
  const answered = byStart.filter((i) => at(moves, i).end !== Number.POSITIVE_INFINITY);
  const unanswered = byStart.filter((i) => at(moves, i).end === Number.POSITIVE_INFINITY);
  const placed = new Set<number>();
  const entered = new Set<string>();
  let low = 0; // of the answered ones, all before are placed
  let count = 0; // answered ones that are placed

  const candidates = (): number[] => {
    const open: number[] = [];
    let bound = Number.POSITIVE_INFINITY;
    for (let k = low; k < answered.length; k++) {
      const i = answered[k] as number; // within its length
      const { start, end } = at(moves, i);
      if (start > bound) break;
      if (placed.has(i)) continue;
      open.push(i);
      bound = Math.min(bound, end);
    }
    const may = (i: number): boolean => at(moves, i).start <= bound;
    return [
      ...open.filter(may).sort((a, b) => at(moves, a).end - at(moves, b).end),
      ...unanswered.filter((i) => !placed.has(i) && may(i)),
    ];
  };
  const keyHere = (state: State): string => {
    const beyond = answered.slice(low, low + 1_000).filter((i) => placed.has(i));
    return `${low} ${beyond} ${unanswered.filter((i) => placed.has(i))} ${keyOf(state)}`;
  };
  const place = (i: number): void => {
    placed.add(i);
    if (at(moves, i).end === Number.POSITIVE_INFINITY) return;
    count += 1;
    while (low < answered.length && placed.has(answered[low] as number)) low += 1; // within its length
  };
  const lift = (i: number, lowBefore: number): void => {
    placed.delete(i);
    if (at(moves, i).end === Number.POSITIVE_INFINITY) return;
    count -= 1;
    low = lowBefore;
  };

  let best: DeadEnd<State> = { placed: -1, state: initial, next: [] };
  const path: Step<State>[] = [];
  const enter = (state: State, by: number | undefined, lowBefore: number): void => {
    const next = candidates();
    if (count > best.placed) best = { placed: count, state, next };
    const row =
      by === undefined || at(moves, by).end !== Number.POSITIVE_INFINITY ? 0 : (path.at(-1)?.row ?? 0) + 1;
    path.push({ state, by, lowBefore, row, steps: steps(next, moves, state, inARow, row) });
  };
  enter(initial, undefined, 0);
  for (let top = path.at(-1); top !== undefined && count < answered.length; top = path.at(-1)) {
    const { value, done } = top.steps.next();
    if (done) {
      path.pop();
      if (top.by !== undefined) lift(top.by, top.lowBefore);
      continue;
    }
    const lowBefore = low;
    place(value.move);
    const key = keyHere(value.state);
    if (entered.has(key)) {
      lift(value.move, lowBefore);
      continue;
    }
    entered.add(key);
    if (entered.size > most)
      throw new RangeError(`no order was found among ${most} states, and none excluded`);
    enter(value.state, value.move, lowBefore);
  }
  return count === answered.length ? undefined : best;
}

interface Step<State> {
  readonly state: State;
  readonly by: number | undefined;
  readonly lowBefore: number;
  /** How many moves without an answer were the last ones. */
  readonly row: number;
  readonly steps: Iterator<{ readonly move: number; readonly state: State }, void>;
}

function* steps<State>(
  next: readonly number[],
  moves: readonly Move<State>[],
  state: State,
  inARow: number,
  row: number,
): Generator<{ readonly move: number; readonly state: State }, void> {
  let allFit = true;
  for (const move of next) {
    const { end, after } = at(moves, move);
    const isAnswered = end !== Number.POSITIVE_INFINITY;
    if (!isAnswered && (row >= inARow || (allFit && Number.isFinite(inARow)))) return; // they come last
    const all = after(state);
    if (all.length === 0) allFit = false;
    for (const then of all) {
      // Without an answer, what changes nothing need not be placed.
      if (isAnswered || then !== state) yield { move, state: then };
    }
  }
}

const at = <State>(moves: readonly Move<State>[], i: number): Move<State> => moves[i] as Move<State>; // one of their places

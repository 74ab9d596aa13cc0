import type { Pause } from "../../../src/lens/tree.ts";

/** Where moments lie on a line from 0 to 1. */
export interface Scale {
  /** A moment outside the run lies at an end. */
  at(ms: number): number;
  /** The moment at a place of the line, to the millisecond. */
  moment(place: number): number;
  /** The pauses that are drawn shortened, as parts of the line. */
  readonly gaps: readonly { readonly from: number; readonly to: number; readonly ms: number }[];
}

/** How wide a shortened pause is drawn, and how many of them may be. */
const gapWidth = 0.03;
const mostGaps = 8;

/**
 * The line of a run's time, in which pauses that are long beside the work are shortened: a run that worked for seconds
 * and waited for days shows its seconds.
 */
export function scaleOf(began: number, ended: number, pauses: readonly Pause[]): Scale {
  const whole = Math.max(1, ended - began);
  const paused = pauses.reduce((sum, { from, to }) => sum + to - from, 0);
  const work = Math.max(1, whole - paused);
  const long = (paused < whole ? pauses : [])
    .filter(({ from, to }) => to - from > work * 0.25 && to - from > whole * gapWidth)
    .sort((a, b) => b.to - b.from - (a.to - a.from))
    .slice(0, mostGaps)
    .sort((a, b) => a.from - b.from);
  const drawn = whole - long.reduce((sum, { from, to }) => sum + to - from, 0);
  const perMs = (1 - long.length * gapWidth) / Math.max(1, drawn);
  const place = (ms: number): number => {
    const moment = Math.min(Math.max(ms, began), ended);
    let shortened = 0;
    let wide = 0;
    for (const { from, to } of long) {
      if (moment <= from) break;
      const part = Math.min(1, (moment - from) / (to - from));
      shortened += (to - from) * part;
      wide += gapWidth * part;
    }
    return Math.min(1, (moment - began - shortened) * perMs + wide);
  };
  const moment = (wanted: number): number => {
    let [low, high] = [began, ended];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (place(middle) <= wanted) low = middle;
      else high = middle;
    }
    return low;
  };
  return {
    at: place,
    moment,
    gaps: long.map(({ from, to }) => ({ from: place(from), to: place(to), ms: to - from })),
  };
}

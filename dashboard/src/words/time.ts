/** Times and counts on screen. */

/** `12 ms`, `3.4 s`, `5 min 02 s`, `3 h 05 min`, `2 d 03 h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (ms < 3_600_000) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const hours = Math.floor(seconds / 3_600);
  if (hours < 48) return `${hours} h ${pad(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(hours / 24)} d ${pad(hours % 24)} h`;
}

const pad = (value: number): string => String(value).padStart(2, "0");

/** `now`, `12 s ago`, `in 3 min`: how far a moment is from another one, in its largest unit. */
export function agoText(at: number, now: number): string {
  const seconds = Math.round(Math.abs(now - at) / 1_000);
  if (seconds < 5) return "now";
  const [divisor, unit] = units.find(([size]) => seconds >= size) ?? [1, "s"];
  const text = `${Math.floor(seconds / divisor)} ${unit}`;
  return at > now ? `in ${text}` : `${text} ago`;
}

const units = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
] as const;

/** A moment in the reader's own zone, to the second: `25 Nov 2026, 14:18:03`. */
export const momentText = (at: number): string =>
  new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** `1,234`. */
export const countText = (n: number): string => n.toLocaleString("en");

/** `1 call`, `3 calls`. */
export const countOf = (n: number, what: string): string => `${countText(n)} ${what}${n === 1 ? "" : "s"}`;

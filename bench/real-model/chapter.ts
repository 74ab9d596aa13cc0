/** What a check found. */
export interface Chapter {
  readonly title: string;
  readonly lines: readonly Line[];
  /** What the model said that was wrong, word for word. */
  readonly wrong?: readonly Wrong[];
}

export interface Line {
  readonly what: string;
  readonly figure: string;
  /** For what Flujo promises: whether it was kept. Absent for what is only measured. */
  readonly kept?: boolean;
}

export interface Wrong {
  readonly asked: string;
  readonly said: string;
  readonly but: string;
}

/** `3 of 10` */
export const of = (part: number, whole: number): string => `${part} of ${whole}`;

export function dollars(picoUsd: bigint): string {
  const text = picoUsd.toString().padStart(13, "0");
  return `$${text.slice(0, -12)}.${text.slice(-12).replace(/0+$/, "") || "0"}`;
}

/** The smallest, the middle one and the largest. */
export function spread(values: readonly number[], unit = ""): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return sorted.length === 0 ? "-" : `${at(0)} / ${at(0.5)} / ${at(1)}${unit}`;
}

export const round = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: value >= 100 ? 0 : value >= 10 ? 1 : 2 });

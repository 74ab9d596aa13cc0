/** Experiments: trials a second on a synced SQLite beside bare inserts of as many rows, and what memory they take. */
import { join } from "node:path";
import type { Finding } from "./finding.ts";
import { figure, inTurns, median, node, ratio } from "./measure.ts";
import { rawDatabase } from "./raw.ts";

interface Tried {
  readonly perSecond: number;
  readonly reportMs: number;
  readonly mb: number;
}

/** A trial is a run of its own, of three entries, and two more of the experiment's: what ran, and its record. */
const rowsPerTrial = 5;

export async function evals(folder: string): Promise<readonly Finding[]> {
  let databases = 0;
  const tried = (cases: number, concurrency: number, flags: readonly string[] = []): Tried => {
    const file = join(folder, `evals-${databases++}.db`);
    return JSON.parse(node([...flags, "bench/many-trials.js", `${cases}`, file, `${concurrency}`]));
  };
  const raw = await rawDatabase(folder, "FULL");
  const seen: Record<"8" | "64", Tried[]> = { 8: [], 64: [] };
  const us = await inTurns(3, {
    by8: async () => rate(seen[8], tried(10_000, 8)),
    by64: async () => rate(seen[64], tried(10_000, 64)),
    raw: async () => rowsPerTrial * (await raw.insert(rowsPerTrial * 10_000, rowsPerTrial * 64)),
  });
  raw.close();
  const held = ["--max-old-space-size=128", "--max-semi-space-size=4"]; // Node takes what it can get, unless it is held
  const peaks = [1_000, 10_000, 40_000].map((cases) => tried(cases, 64, held).mb);
  const [few = 0, , most = 0] = peaks;
  return [
    {
      work: "10,000 cases of flujo eval, synced, 64 at once, a second",
      figure: 1e6 / us.by64.median,
      unit: "cases",
      target: 2_000,
      atLeast: true,
      note: `8 at once: ${figure(1e6 / us.by8.median)}`,
    },
    {
      work: "... over bare inserts of as many rows, 64 trials a commit",
      figure: ratio(us.by64, us.raw),
      unit: "x",
      note: `raw: ${figure(us.raw.median)} us a case`,
    },
    {
      work: "... read again and summed up",
      figure: median(seen[64].map(({ reportMs }) => reportMs)),
      unit: "ms",
    },
    {
      work: "peak memory, 40,000 cases over 1,000",
      figure: most - few,
      unit: "MB",
      target: 150,
      note: `${peaks.map(figure).join(" / ")} MB at 1,000 / 10,000 / 40,000, of a Node held to 128 MB; left alone, 10,000 take ${figure(median(seen[64].map(({ mb }) => mb)))}`,
    },
  ];
}

/** Microseconds a case. */
function rate(seen: Tried[], one: Tried): number {
  seen.push(one);
  return 1e6 / one.perSecond;
}

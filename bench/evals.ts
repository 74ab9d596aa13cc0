/** Experiments: trials a second on a synced SQLite beside bare inserts of as many rows, and what memory `flujo eval` takes. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "./finding.ts";
import { figure, inTurns, median, node, ratio, root } from "./measure.ts";
import { rawDatabase } from "./raw.ts";

interface Tried {
  readonly perSecond: number;
  readonly reportMs: number;
}

/** A trial is a run of its own, of three entries, and two more of the experiment's: what ran, and its record. */
const rowsPerTrial = 5;

const held = ["--max-old-space-size=128", "--max-semi-space-size=4"];

export async function evals(folder: string): Promise<readonly Finding[]> {
  let databases = 0;
  const tried = (cases: number, concurrency: number): Tried => {
    const file = join(folder, `evals-${databases++}.db`);
    return JSON.parse(node(["bench/many-trials.js", `${cases}`, file, `${concurrency}`]));
  };
  const raw = await rawDatabase(folder, "FULL");
  const seen: Record<"8" | "64", Tried[]> = { 8: [], 64: [] };
  const us = await inTurns(3, {
    by8: async () => rate(seen[8], tried(10_000, 8)),
    by64: async () => rate(seen[64], tried(10_000, 64)),
    raw: async () => rowsPerTrial * (await raw.insert(rowsPerTrial * 10_000, rowsPerTrial * 64)),
  });
  raw.close();
  const counts = [1_000, 10_000, 100_000];
  const peaks = (flags: readonly string[]): number[] => counts.map((cases) => peakMb(folder, cases, flags));
  const [ofHeld, ofFree] = [peaks(held), peaks([])];
  const [few = 0, , most = 0] = ofHeld;
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
      work: "peak memory, flujo eval with all reports, 100,000 cases over 1,000",
      figure: most - few,
      unit: "MB",
      target: 100,
      note: `${ofHeld.map(figure).join(" / ")} MB at 1,000 / 10,000 / 100,000, of a Node held to 128 MB; left alone ${ofFree.map(figure).join(" / ")}`,
    },
  ];
}

/** Microseconds a case. */
function rate(seen: Tried[], one: Tried): number {
  seen.push(one);
  return 1e6 / one.perSecond;
}

/** What the command takes at most, from the dataset it reads to the last report it writes. */
function peakMb(folder: string, count: number, flags: readonly string[]): number {
  const at = (name: string): string => join(folder, `${count}-${flags.length}-${name}`);
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      ...{ id: `case-${i}`, input: `word ${i}`, expected: `WORD ${i}` },
      ...{ cluster: `k${i % 500}`, tags: [i % 2 === 0 ? "even" : "odd"] },
    }),
  );
  writeFileSync(at("words.jsonl"), lines.join("\n"));
  const out = openSync(at("report.json"), "w");
  const command = ["bin/flujo.js", "eval", "bench/shout.js", at("words.jsonl"), "--split", "all", "--quiet"];
  const reports = ["--json", "--html", at("h.html"), "--junit", at("j.xml"), "--markdown", at("m.md")];
  const store = ["--store", `sqlite:${at("memory.db")}`, "--concurrency", "64"];
  const { stderr } = spawnSync(
    process.execPath,
    [...flags, "--import", "./bench/peak.js", ...command, ...store, ...reports],
    { cwd: root, stdio: ["ignore", out, "pipe"], encoding: "utf8" },
  );
  closeSync(out);
  const peak = /^peak (.+)$/m.exec(stderr);
  if (peak === null) throw new Error(`flujo eval says nothing of its memory: ${stderr}`);
  return Number(peak[1]);
}

/** Other systems, each measured by its own file in bench/rivals, which has an install of its own. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "rivals");

/** The order of the table: what nothing can beat, ourselves, then the others. */
const first = ["raw-full", "raw-normal", "flujo", "flujo-relaxed"];

export interface Comparison {
  /** The head, then one row a system. */
  readonly rows: readonly (readonly string[])[];
  /** What did not run, and why. */
  readonly notes: readonly string[];
}

type Report = Readonly<Record<string, string | number>>;

/** Measures the systems with these names, or all; a system that cannot run is said, loudly, and left out. */
export async function rivals(names: readonly string[]): Promise<Comparison> {
  install();
  const there = readdirSync(folder).filter((file) => file.endsWith(".ts"));
  const systems = there
    .map((file) => file.slice(0, -".ts".length))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const reports: Report[] = [];
  const notes: string[] = [];
  for (const system of systems) {
    if (names.length > 0 && !names.includes(system)) continue;
    console.error(`measuring ${system} ...`);
    const answer = await measured(system);
    if (typeof answer === "string") {
      notes.push(`**NOT RUN: ${system}**: ${answer}`);
      console.error(`!!! NOT RUN: ${system}: ${answer}`);
    } else {
      reports.push(answer);
      console.error(JSON.stringify(answer));
    }
  }
  // One class beside the other: only within one can figures be compared.
  reports.sort((a, b) => `${b.survives}`.localeCompare(`${a.survives}`));
  return {
    rows: [
      columns.map(({ head }) => head),
      ...reports.map((report) => columns.map(({ cell }) => cell(report))),
    ],
    notes,
  };
}

const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length);

/** The other systems, where they are not there yet. */
export function install(): void {
  if (existsSync(join(folder, "node_modules"))) return;
  console.error("installing the other systems in bench/rivals (about 500 MB) ...");
  // None of them needs its install scripts here, and some would report home.
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`"npm ci" in ${folder} failed: the other systems cannot be measured`);
}

/** The report of a system's process, or why there is none. */
function measured(system: string): Promise<Report | string> {
  return new Promise((resolve) => {
    const run = spawn(process.execPath, [join(folder, `${system}.ts`)], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      // Only loopback traffic: the systems that report usage are told not to.
      env: { ...process.env, MASTRA_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", LANGSMITH_TRACING: "false" },
    });
    let [said, complained] = ["", ""];
    run.stdout.on("data", (chunk) => {
      said += chunk;
    });
    run.stderr.on("data", (chunk) => {
      complained += chunk;
    });
    run.on("exit", (code) => {
      const line = said.trim().split("\n").pop() ?? "";
      if (code === 0 && line.startsWith("{")) return resolve(JSON.parse(line));
      resolve(
        complained
          .split("\n")
          .find((text) => /error/i.test(text))
          ?.trim() ?? `ended with code ${code}`,
      );
    });
  });
}

/** The first figure whose name matches, with the count that its name tells when that is not the usual one. */
function found(report: Report, pattern: RegExp): string {
  for (const [name, value] of Object.entries(report)) {
    const count = pattern.exec(name)?.[1];
    if (count !== undefined)
      return `${typeof value === "number" ? value.toLocaleString("en-US") : value} (${Number(count).toLocaleString("en-US")})`;
  }
  return "-";
}

const plain = (report: Report, name: string) => report[name]?.toLocaleString("en-US") ?? "-";

const columns: readonly { readonly head: string; readonly cell: (report: Report) => string }[] = [
  { head: "system", cell: (r) => `${r.name} (${r.versions})` },
  { head: "store", cell: (r) => `${r.store}` },
  { head: "a step survives", cell: (r) => `${r.survives}` },
  { head: "chain: us a step (of 100)", cell: (r) => plain(r, "us_per_step_100") },
  { head: "us a step (of)", cell: (r) => found(r, /^(?:us_per_step|chain)_(990|1000)$/) },
  { head: "us a step, long (of)", cell: (r) => found(r, /^(?:us_per_step|growth)_(2000|5000|10000)$/) },
  {
    head: "runs of 5 steps a second, one by one (of)",
    cell: (r) => found(r, /^(?:runs_per_s_alone_of|runs)_(\d+)$/),
  },
  { head: "50 at once (of)", cell: (r) => found(r, /^runs_per_s_50_at_once_of_(\d+)$/) },
  { head: "fan-out: items a second (of)", cell: (r) => found(r, /^(?:items_per_s_of|fanout)_(\d+)$/) },
  { head: "resume, ms (finished steps)", cell: (r) => found(r, /^(?:resume_ms_after|resume)_(990|1000)$/) },
  { head: "resume, ms (finished steps)", cell: (r) => found(r, /^(?:resume_ms_after|resumeLarge)_(10000)$/) },
  { head: "bytes written a step", cell: (r) => plain(r, "written_bytes_per_step") },
  { head: "bytes kept a step", cell: (r) => plain(r, "kept_bytes_per_step") },
  {
    head: "peak memory, MB (+ its server)",
    cell: (r) => `${plain(r, "peak_rss_mb")}${r.server_peak_rss_mb ? ` + ${r.server_peak_rss_mb}` : ""}`,
  },
  { head: "import, ms", cell: (r) => plain(r, "import_ms") },
];

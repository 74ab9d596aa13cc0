/**
 * What every rival is asked to do, and how it is measured.
 *
 * Each workload runs in a fresh process and a fresh folder, under a time limit: one that does not come back in time
 * is reported as such, never extrapolated. A rival's file calls `measure(rival)`; it then prints one JSON line.
 */
import { fork, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Rival {
  readonly name: string;
  /** The packages whose versions are printed; the import of the first is timed. */
  readonly packages: readonly string[];
  /** Instead, for what no package holds: the version to print, and the module whose import is timed, if any. */
  readonly own?: { readonly version: string; readonly module?: string };
  readonly store: string;
  /** What a finished step outlives: the death of the process, or of the power too. */
  readonly survives: "kill" | "power loss";
  /** It speaks to its store over sockets: what it writes to disk cannot be told from what it says. */
  readonly overSockets?: true;
  /** How many finished steps, or runs, a workload asks for; 0 leaves it out. */
  readonly counts?: Partial<typeof counts>;
  open(folder: string): Promise<System>;
}

export interface System {
  /** One run of so many trivial steps, one after the other, to its end. */
  chain(id: string, steps: number): Promise<void>;
  /** One run over so many items, 16 at a time where the system lets one say so. */
  fanout?(id: string, items: number): Promise<void>;
  /** Leaves a run behind after so many finished steps, opens the system anew, and goes on: ms until new work starts. */
  resume?(id: string, steps: number): Promise<number>;
  /** Processes other than this one whose memory belongs to the bill. */
  readonly pids?: readonly number[];
  close(): Promise<void>;
}

const counts = { chain: 1_000, growth: 10_000, runs: 1_000, fanout: 10_000, resume: 1_000, resumeLarge: 10_000 };
type Workload = keyof typeof counts;
type Report = Record<string, number | string>;
const install = join(import.meta.dirname, "..");
const limitMs = Number(process.env.RIVAL_LIMIT_MS ?? 120_000);

/** About 110 bytes of JSON, different for each step. */
export const result = (n: number) => ({
  step: n,
  ok: true,
  text: "a short sentence of the size a summary might have, so that bytes weigh something",
});

const workloads: Record<Workload, (system: System, count: number, folder: string, rival: Rival) => Promise<Report>> = {
  async chain(system, count, folder, rival) {
    const empty = bytesIn(folder);
    await system.chain("warm", 50);
    const short: number[] = [];
    for (let i = 0; i < 3; i++) short.push((await timed(() => system.chain(`short-${i}`, 100))) / 100);
    const written = writtenHere();
    const ms = await timed(() => system.chain("chain", count));
    const report: Report = {
      us_per_step_100: micro(short.sort((a, b) => a - b)[1] as number),
      [`us_per_step_${count}`]: micro(ms / count),
    };
    const wrote = writtenHere();
    if (written !== undefined && wrote !== undefined && !rival.overSockets) report.written_bytes_per_step = Math.round((wrote - written) / count);
    report.peak_rss_mb = peakMb(process.pid);
    const servers = (system.pids ?? []).reduce((sum, pid) => sum + peakMb(pid), 0);
    if (servers > 0) report.server_peak_rss_mb = servers;
    await system.close(); // now its files are as small as it makes them
    report.kept_bytes_per_step = Math.round((bytesIn(folder) - empty) / (count + 350));
    return report;
  },
  async growth(system, count) {
    await system.chain("warm", 50);
    return { [`us_per_step_${count}`]: micro((await timed(() => system.chain("long", count))) / count) };
  },
  async runs(system, count) {
    for (let i = 0; i < 5; i++) await system.chain(`warm-${i}`, 5);
    const single = Math.max(1, Math.round(count / 5));
    const alone = await timed(async () => {
      for (let i = 0; i < single; i++) await system.chain(`one-${i}`, 5);
    });
    let next = 0;
    const together = await timed(async () => {
      const lane = async () => {
        while (next < count) await system.chain(`many-${next++}`, 5);
      };
      await Promise.all(Array.from({ length: 50 }, lane));
    });
    return {
      [`runs_per_s_alone_of_${single}`]: rate(single, alone),
      [`runs_per_s_50_at_once_of_${count}`]: rate(count, together),
    };
  },
  async fanout(system, count) {
    if (!system.fanout) return {};
    await system.fanout("warm", 50);
    return { [`items_per_s_of_${count}`]: rate(count, await timed(async () => system.fanout?.("fan", count))) };
  },
  async resume(system, count) {
    if (!system.resume) return {};
    await system.resume("warm", 5);
    return { [`resume_ms_after_${count}`]: Math.round((await system.resume("again", count)) * 10) / 10 };
  },
  resumeLarge: (...args) => workloads.resume(...args),
};

/** Runs every workload of a rival, each in a process of its own, and prints one JSON line. */
export async function measure(rival: Rival): Promise<void> {
  const asked = { ...counts, ...rival.counts };
  const [, file, workload] = process.argv;
  if (workload) return await child(rival, workload as Workload, asked[workload as Workload]);
  const report: Report = {
    name: rival.name,
    versions: rival.own?.version ?? rival.packages.map((name) => `${name}@${version(name)}`).join(" "),
    store: rival.store,
    survives: rival.survives,
  };
  const module = rival.own ? rival.own.module : rival.packages[0];
  if (module !== undefined) report.import_ms = importMs(module);
  for (const name of Object.keys(workloads) as Workload[]) {
    if (asked[name] > 0) Object.assign(report, await inChild(file as string, name, asked[name]));
  }
  console.log(JSON.stringify(report));
}

async function child(rival: Rival, workload: Workload, count: number): Promise<void> {
  // On the disk of the checkout: a temporary folder may be memory, where a sync is free.
  const cache = join(install, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "rival-"));
  const system = await rival.open(folder);
  try {
    const report = await workloads[workload](system, count, folder, rival);
    await new Promise((sent) => process.send?.(report, sent));
  } finally {
    if (workload !== "chain") await system.close();
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(0);
}

function inChild(file: string, workload: Workload, count: number): Promise<Report> {
  return new Promise((resolve) => {
    // What the systems print must not reach our one line on stdout.
    const run = fork(file, [workload], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let answer: Report | undefined;
    let complaint = "";
    run.stderr?.on("data", (chunk) => {
      complaint = `${complaint}${chunk}`.slice(-2_000);
    });
    run.on("message", (message) => {
      answer = message as Report;
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      run.kill("SIGTERM");
      setTimeout(() => run.kill("SIGKILL"), 2_000).unref();
    }, limitMs);
    run.on("exit", () => {
      clearTimeout(timer);
      if (answer) return resolve(answer);
      const why = complaint.split("\n").find((line) => /error/i.test(line)) ?? complaint.trim().split("\n").pop();
      resolve({ [`${workload}_${count}`]: late ? `not finished in ${limitMs / 1000} s` : `failed: ${why?.slice(0, 200)}` });
    });
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

const micro = (ms: number) => Math.round(ms * 1_000);
const rate = (count: number, ms: number) => Math.round((count / ms) * 1_000);

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Bytes this process has handed to the system so far; Linux only. */
function writtenHere(): number | undefined {
  if (!existsSync("/proc/self/io")) return undefined;
  return Number(/^wchar: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

function peakMb(pid: number): number {
  if (pid === process.pid && !existsSync("/proc/self/status")) return Math.round(process.resourceUsage().maxRSS / 1024);
  const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}

function version(name: string): string {
  return JSON.parse(readFileSync(join(install, "node_modules", name, "package.json"), "utf8")).version;
}

/** Milliseconds that `import name` adds to a bare start of Node: medians of five. */
function importMs(name: string): number {
  const run = (code: string) => {
    const times = Array.from({ length: 5 }, () => {
      const from = performance.now();
      spawnSync(process.execPath, ["--input-type=module", "-e", code], { cwd: install });
      return performance.now() - from;
    });
    return times.sort((a, b) => a - b)[2] as number;
  };
  return Math.round(run(`await import(${JSON.stringify(name)}); process.exit(0)`) - run("process.exit(0)"));
}

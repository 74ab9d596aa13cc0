import { type Command, Option } from "commander";
import type { ReplayOptions, ReplayReport } from "../../engine/replay/report.ts";
import { rootOf } from "../../engine/root.ts";
import type { Store } from "../../ports/store.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { type Loaded, loadPipeline } from "../load/pipeline.ts";
import { exportOption, jsonOption, pipelineOption, storeOption, wholeNumber } from "../options.ts";
import { breaks, checkText, type Unchecked } from "../replay-text.ts";
import { bodiesChoices, bodiesHelp, replaying } from "../replaying.ts";
import { readSettings } from "../settings.ts";
import { isThere, openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";

interface Flags {
  readonly runs: number;
  readonly pipeline?: string;
  readonly export?: string;
  readonly bodies: NonNullable<ReplayOptions["bodies"]>;
  readonly store?: string;
  readonly json?: boolean;
}

/** `flujo check [FILES]` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("check [files...]")
    .description(
      "Replay recorded runs with the code of today, without any call: which would break, and where. Exits with 1 when one would.",
    )
    .addOption(
      new Option("--runs <count>", "so many runs, the newest first").default(100).argParser(wholeNumber(1)),
    )
    .addOption(pipelineOption())
    .addOption(exportOption("of the files that is the pipeline"))
    .addOption(new Option("--bodies <which>", bodiesHelp).choices(bodiesChoices).default("durable"))
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (files: string[], flags: Flags) => done(await check(files, flags)));
}

async function check(files: readonly string[], flags: Flags): Promise<number> {
  const settings = await readSettings(flags);
  const named = await Promise.all(files.map((file) => loadPipeline(file, flags.export)));
  const { store: uri } = settings;
  if (!isThere(uri)) return told([], [], flags);
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    const sources = new Sources(named);
    const reports: ReplayReport[] = [];
    const unchecked: Unchecked[] = [];
    for (const { runId, pipeline } of await runsIn(store, named, flags)) {
      const source = await sources.of(store, runId, pipeline);
      if (typeof source === "string") unchecked.push({ runId, why: source });
      else {
        await using flujo = replaying(source, store, settings);
        reports.push(await flujo.replay(runId, { bodies: flags.bodies }));
      }
    }
    return await told(reports, unchecked, flags);
  } finally {
    await store.close();
  }
}

/** The newest runs: of one pipeline, of those of the files, or of all. */
async function runsIn(store: Store, named: readonly Loaded[], { pipeline, runs: limit }: Flags) {
  const names = pipeline === undefined ? named.map(nameOf) : [pipeline];
  if (names.length === 0) return store.list({ limit });
  const lists = await Promise.all([...new Set(names)].map((name) => store.list({ pipeline: name, limit })));
  return lists
    .flat()
    .sort((a, b) => b.createdAt - a.createdAt)
    .slice(0, limit);
}

/** Where the pipelines of runs are: in the files that were named, else where each run came from. */
class Sources {
  readonly #named: ReadonlyMap<string, Loaded>;
  readonly #loaded = new Map<string, Promise<Loaded | string>>();

  constructor(named: readonly Loaded[]) {
    this.#named = new Map(named.map((loaded) => [nameOf(loaded), loaded]));
  }

  /** The pipeline; or, in words, why it is not at hand. */
  async of(store: Store, runId: string, pipeline: string): Promise<Loaded | string> {
    const [first] = (await store.read(runId, 0, 1)) ?? [];
    if (first?.type !== "run-created") return "nothing of it is recorded";
    if (this.#named.size > 0) return this.#named.get(pipeline) ?? `no file has the pipeline "${pipeline}"`;
    const { origin } = first;
    if (origin === undefined) return "which file it came from is not recorded; name it: flujo check FILE";
    const key = `${origin.file} ${origin.export}`;
    const known = this.#loaded.get(key) ?? load(origin.file, origin.export, pipeline);
    this.#loaded.set(key, known);
    return known;
  }
}

async function load(file: string, name: string, pipeline: string): Promise<Loaded | string> {
  try {
    const loaded = await loadPipeline(file, name);
    return nameOf(loaded) === pipeline ? loaded : `${file} has no pipeline "${pipeline}" any more`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const nameOf = ({ node }: Loaded): string => rootOf(node).pipeline.name;

/** @returns 1 when a run would break, 2 when there are runs and none could be looked at. */
async function told(
  reports: readonly ReplayReport[],
  unchecked: readonly Unchecked[],
  { json }: Flags,
): Promise<number> {
  const broken = reports.filter(breaks);
  if (json) await printJson({ checked: reports.length, broken: broken.length, runs: reports, unchecked });
  else await result(`${checkText(reports, unchecked)}\n`);
  if (broken.length > 0) return exit.failed;
  if (reports.length > 0 || unchecked.length === 0) return exit.completed;
  say("No run could be checked.");
  return exit.invalid;
}

/** The versions of pipelines that a store's runs belong to, and how two of them differ. */
import type { Manifest } from "../core/fingerprint.ts";
import type { Json } from "../core/json.ts";
import type { Outline, PlaceOutline, Release } from "../core/outline.ts";
import { outlineFrom } from "../core/outline-text.ts";
import type { Path } from "../core/paths.ts";
import { Values } from "../core/resolve.ts";
import type { RunStatus } from "../core/run-record.ts";
import type { Store } from "../ports/store.ts";
import { compareValues, type ValueChange } from "./compare-values.ts";
import { type Both, merged } from "./diff.ts";
import { everyRun, type Selection } from "./every-run.ts";
import { readJournal } from "./journal.ts";
import { readManifest } from "./places.ts";
import { changesIn } from "./show.ts";
import { type StepStats, stats } from "./stats.ts";

/** One version, as `flujo lens versions --json` prints it. */
export interface VersionView {
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly runs: number;
  /** Of them: not completed, failed, halted or cancelled. */
  readonly unfinished: number;
  /** ISO dates: when its first and its last run were made. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** Packages and commits it was of, the latest first; of old runs none are known. At most ten. */
  readonly releases: readonly Release[];
  /** What an overlay changes of it, as its newest run has it: `system of /q3/summarise`. Absent where nothing does. */
  readonly overlay?: readonly string[];
}

const mostReleases = 10;
const unfinished: readonly RunStatus[] = ["running", "waiting"];

/** Of each pipeline its versions, the latest first. A run counts for the version it was last gone on with. */
export async function versions(store: Store, selection: Selection = {}): Promise<VersionView[]> {
  const found = new Map<string, Seen>();
  for await (const run of everyRun(store, selection)) {
    await selection.pause?.();
    const key = `${run.pipeline}\n${run.fingerprint}`;
    const seen = found.get(key) ?? {
      ...run,
      runs: 0,
      unfinished: 0,
      outlines: new Set<string>(),
      first: 0,
      last: run.createdAt,
    };
    found.set(key, seen);
    seen.runs += 1;
    if (unfinished.includes(run.status)) seen.unfinished += 1;
    seen.first = run.createdAt; // they come newest first
    if (seen.outlines.size < mostReleases) {
      const outline = await outlineHash(store, run.runId, run.fingerprint);
      if (outline !== undefined) seen.outlines.add(outline);
    }
  }
  const views: VersionView[] = [];
  for (const seen of found.values()) views.push(await view(store, seen));
  return views.sort(
    (a, b) =>
      compare(a.pipeline, b.pipeline) || compare(b.lastAt, a.lastAt) || compare(a.fingerprint, b.fingerprint),
  );
}

interface Seen {
  /** Of the newest. */
  readonly runId: string;
  readonly pipeline: string;
  readonly fingerprint: string;
  runs: number;
  unfinished: number;
  first: number;
  readonly last: number;
  readonly outlines: Set<string>;
}

async function view(store: Store, seen: Seen): Promise<VersionView> {
  const { pipeline, fingerprint, runs, first, last } = seen;
  const releases = new Map<string, Release>();
  for (const hash of seen.outlines) {
    const { release } = (await readOutline(store, hash)) ?? {};
    if (release !== undefined) releases.set(JSON.stringify(release), release);
  }
  return {
    ...{ pipeline, fingerprint, runs, unfinished: seen.unfinished },
    firstAt: new Date(first).toISOString(),
    lastAt: new Date(last).toISOString(),
    releases: [...releases.values()],
    ...(await overlayIn(store, seen.runId)),
  };
}

async function overlayIn(store: Store, runId: string): Promise<Pick<VersionView, "overlay">> {
  const [created] = (await store.read(runId, 0, 1)) ?? [];
  if (created?.type !== "run-created" || created.overlay === undefined) return {};
  const values = new Values([created], ({ hash }) => store.blob(hash));
  const changes = changesIn(await values.fetch(created.overlay));
  return { overlay: changes.map(({ path, field }) => `${field} of ${path}`) };
}

/** The outline a run began with, if that is of the version asked for; else the last it was gone on with. */
async function outlineHash(store: Store, runId: string, fingerprint: string): Promise<string | undefined> {
  const [created] = (await store.read(runId, 0, 1)) ?? [];
  if (created?.type === "run-created" && created.fingerprint === fingerprint) return created.outline;
  const entries = (await readJournal(store, runId)) ?? [];
  const last = entries.findLast((entry) => entry.type === "run-resumed" && entry.outline !== undefined);
  return last?.type === "run-resumed" ? last.outline : undefined;
}

/** An outline by its hash; undefined when the store has lost it. */
export async function readOutline(store: Store, hash: string): Promise<Outline | undefined> {
  const text = await store.blob(hash);
  return text === undefined ? undefined : outlineFrom(text);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Two versions place by place, as `flujo lens diff --json` prints them. */
export interface VersionDiff {
  readonly a: VersionView;
  readonly b: VersionView;
  /** Places that are the same in both, settings included. */
  readonly same: number;
  readonly places: readonly PlaceDiff[];
  /** How the runs of each version fared, step by step; null where one has none. */
  readonly figures: readonly (Both<StepFigures | null> & { readonly step: Path })[];
}

export interface PlaceDiff {
  readonly path: Path;
  readonly kind: string;
  readonly only?: "a" | "b";
  /** Prompts, models, code, schemas: what makes it another version. */
  readonly facts: readonly ValueChange[];
  /** Retries, timeouts, budgets: what may change under a run. */
  readonly settings: readonly ValueChange[];
}

/** A step in the runs of one version. */
export type StepFigures = Pick<StepStats, "completed" | "failed" | "durationMs" | "spent">;

/** What differs between two versions, by the outlines their runs have kept; by the manifests where there are none. */
export async function diffVersions(
  store: Store,
  a: VersionView,
  b: VersionView,
  selection: Pick<Selection, "newest" | "pause"> = {},
): Promise<VersionDiff> {
  const [mine, theirs] = [await placesOf(store, a), await placesOf(store, b)];
  const [before, after] = [byPath(mine), byPath(theirs)];
  const places: PlaceDiff[] = [];
  let same = 0;
  for (const path of merged(mine, theirs)) {
    const [old, now] = [before.get(path), after.get(path)];
    const kind = old?.kind ?? now?.kind ?? "";
    if (old === undefined || now === undefined) {
      places.push({ path, kind, only: old === undefined ? "b" : "a", facts: [], settings: [] });
      continue;
    }
    const facts = await compareValues({ kind: old.kind, ...old.facts }, { kind: now.kind, ...now.facts });
    const settings = await compareValues([...(old.settings ?? [])], [...(now.settings ?? [])]);
    if (facts.length + settings.length === 0) same += 1;
    else places.push({ path, kind, facts, settings });
  }
  return { a, b, same, places, figures: await figuresOf(store, a, b, selection) };
}

const byPath = (places: readonly PlaceOutline[]): ReadonlyMap<Path, PlaceOutline> =>
  new Map(places.map((place) => [place.path, place]));

/** The places of a version, as its newest run has them. */
async function placesOf(
  store: Store,
  { pipeline, fingerprint }: VersionView,
): Promise<readonly PlaceOutline[]> {
  for await (const { runId } of everyRun(store, { pipeline, fingerprint })) {
    const hash = await outlineHash(store, runId, fingerprint);
    const outline = hash === undefined ? undefined : await readOutline(store, hash);
    if (outline !== undefined) return outline.places;
    const [created] = (await store.read(runId, 0, 1)) ?? [];
    if (created?.type === "run-created" && created.fingerprint === fingerprint)
      return bare(await readManifest(store, created.manifest));
  }
  return [];
}

/** Of runs that kept no outline: a hash for each place. */
const bare = (manifest: Manifest): PlaceOutline[] =>
  manifest.map(([path, hash]) => ({ path, kind: "", facts: { hash: hash as Json } }));

async function figuresOf(
  store: Store,
  a: VersionView,
  b: VersionView,
  selection: Pick<Selection, "newest" | "pause">,
): Promise<VersionDiff["figures"]> {
  const steps = async ({ pipeline, fingerprint }: VersionView): Promise<ReadonlyMap<Path, StepStats>> => {
    const { steps: all } = await stats(store, { pipeline, fingerprint, ...selection });
    return new Map(all.map((one) => [one.step, one]));
  };
  const [mine, theirs] = [await steps(a), await steps(b)];
  const paths = [...new Set([...mine.keys(), ...theirs.keys()])].sort();
  return paths.map((step) => ({ step, a: figures(mine.get(step)), b: figures(theirs.get(step)) }));
}

function figures(step: StepStats | undefined): StepFigures | null {
  if (step === undefined) return null;
  const { completed, failed, durationMs, spent } = step;
  return { completed, failed, durationMs, spent };
}

/** `flujo run FILE --dry-run`: what a run can cost and is likely to, with nothing called and nothing stored. */
import { unpriced } from "../agents/models.ts";
import { bookOf } from "../agents/price-source.ts";
import { quotedRates } from "../agents/priced-model.ts";
import { maySpend } from "../budget/body-calls.ts";
import { type Bound, isOpen, type Line, type Opening, type Times, type Use } from "../budget/bounds.ts";
import { estimate } from "../budget/estimate.ts";
import { type Expected, expected } from "../budget/expected.ts";
import type { ImagePrice } from "../budget/image-prices.ts";
import type { Price } from "../budget/price-book.ts";
import { judge, type Verdict } from "../budget/verdict.ts";
import { InvalidPipelineError } from "../core/errors.ts";
import { versionOf } from "../core/fingerprint.ts";
import { decimalUsd, type Limits } from "../core/limits.ts";
import type { KnownInput, ModelKind, Node } from "../core/node.ts";
import type { Path } from "../core/paths.ts";
import { eachPlace } from "../core/tree.ts";
import { unknownModels } from "../core/validation.ts";
import { refusalsAtMost } from "../engine/in-turn.ts";
import { callAttempts } from "../engine/paid.ts";
import { fittingInput, initialState, type Root, rootOf } from "../engine/root.ts";
import { type PastCosts, pastCosts } from "../lens/past-costs.ts";
import { imagePriceView, type PriceView, priceView } from "./price-view.ts";
import type { Settings } from "./settings.ts";
import { isThere, openStore } from "./stores.ts";

/** What `flujo run --dry-run --json` prints. */
export interface DryRun {
  readonly dryRun: true;
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly verdict: Verdict;
  readonly why: readonly string[];
  readonly budget: { readonly costUsd?: string; readonly tokens?: number; readonly calls?: number };
  readonly worst: WorstView;
  /** From past runs in the store; null when there is none to go by. */
  readonly expected: ExpectedView | null;
  readonly places: readonly PlaceView[];
}

/** Null: there is no bound. `known` is what is known of it. */
export interface WorstView {
  readonly costUsd: string | null;
  readonly tokens: number | null;
  readonly calls: number | null;
  readonly known: { readonly costUsd: string; readonly tokens: number; readonly calls: number };
  readonly unbounded: readonly string[];
}

export interface ExpectedView {
  readonly runs: number;
  readonly meanUsd: string;
  readonly p95Usd: string;
  readonly mostUsd: string;
  readonly meanCalls: number;
}

/** A place that calls a model; of one that may do so in its body alone, nothing but what it did in the past. */
export interface PlaceView {
  readonly place: Path;
  readonly model: string | null;
  readonly price: PriceView | null;
  readonly call: {
    readonly inputTokens: number;
    readonly unknownInput: readonly string[];
    readonly outputTokens: number;
    readonly costUsd: string | null;
  } | null;
  readonly times: readonly Times[];
  readonly worst: WorstView | null;
  readonly expected: ExpectedView | null;
}

export interface DryRunOptions {
  readonly node: Node;
  readonly settings: Settings;
  readonly limits: Limits;
  /** The run's input, when one is given. */
  readonly input?: { readonly value: unknown };
  readonly state?: object | undefined;
  readonly textTokens?: number | undefined;
  readonly items?: number | undefined;
}

/** @throws InvalidPipelineError, InvalidInputError, UnpricedModelError: as the run itself would. */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const { settings, limits, textTokens, items } = options;
  const root = rootOf(options.node);
  const { models = {} } = settings;
  const problems = unknownModels(root.node, Object.keys(models.providers ?? {}));
  if (problems.length > 0) throw new InvalidPipelineError(problems);
  const now = Date.now();
  const prices = await pricesIn(root.node, models);
  if (limits.picoUsd !== undefined) {
    for (const { name, kind, price, image } of prices.values())
      if (price === undefined && image === undefined) throw unpriced(name, kind);
  }
  const bound = await estimate(root.node, {
    rates: (model, surcharges) => quotedRates(prices.get(model)?.price, surcharges, now),
    imagePrice: (model) => prices.get(model)?.image?.picoUsd,
    tries: callAttempts,
    refusals: refusalsAtMost,
    known: await knownInput(root, options),
    textTokens,
    items,
  });
  const { fingerprint, manifest } = versionOf(root.node);
  const bodies = spendingBodies(root.node);
  const spending = [...new Set([...[...bound.lines.values()].map(({ place }) => place), ...bodies])];
  const past = await pastOf(settings.store, (store) =>
    pastCosts(store, root.pipeline.name, manifest, spending),
  );
  const lines = [...bound.lines.values()].map((line) => lineView(line, prices.get(line.model), past, now));
  return {
    dryRun: true,
    pipeline: root.pipeline.name,
    fingerprint,
    ...judge(bound, limits),
    budget: budgetView(limits),
    worst: worstView(bound),
    expected: expectedView(expected(past?.totals ?? [])),
    places: [...lines, ...bodies.map((place) => bodyView(place, past))],
  };
}

/** A model the tree names, and what is known of its price. */
interface Named {
  readonly name: string;
  readonly kind: ModelKind | undefined;
  readonly price?: Price | undefined;
  readonly image?: ImagePrice | undefined;
}

async function pricesIn(
  node: Node,
  models: NonNullable<Settings["models"]>,
): Promise<ReadonlyMap<string, Named>> {
  const book = bookOf(models);
  const kinds = new Map<string, ModelKind | undefined>();
  eachPlace(node, "", (place) => {
    if ("models" in place) for (const model of place.models ?? []) kinds.set(model, place.modelKind);
  });
  const named = new Map<string, Named>();
  for (const [name, kind] of kinds) {
    const price =
      kind === "image"
        ? { image: book.findImage(name) }
        : { price: await book.find(name, { embedding: kind === "embedding" }) };
    named.set(name, { name, kind, ...price });
  }
  return named;
}

async function knownInput(root: Root, { input, state }: DryRunOptions): Promise<KnownInput | undefined> {
  if (input === undefined) return undefined;
  const fitting = await fittingInput(root, input.value);
  return { input: fitting, state: { ...initialState(root), ...state } };
}

function spendingBodies(node: Node): Path[] {
  const found: Path[] = [];
  eachPlace(node, "", (place, path) => {
    if (place.kind === "step" && place.buys === undefined && maySpend(place.work)) found.push(path);
  });
  return found;
}

/** Nothing is made where there is no store. */
async function pastOf(
  uri: Settings["store"],
  read: (store: Exclude<Settings["store"], string>) => Promise<PastCosts>,
): Promise<PastCosts | undefined> {
  if (!isThere(uri)) return undefined;
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    return await read(store);
  } finally {
    await store.close();
  }
}

function lineView(line: Line, named: Named | undefined, past: PastCosts | undefined, now: number): PlaceView {
  const { place, model, call, times } = line;
  const { price, image } = named ?? {};
  const view = image === undefined ? price && priceView(price, now) : imagePriceView(image);
  return {
    place,
    model,
    price: view ?? null,
    call: {
      inputTokens: call.inputTokens,
      unknownInput: call.unknown,
      outputTokens: call.outputTokens,
      costUsd: call.picoUsd === undefined ? null : decimalUsd(call.picoUsd),
    },
    times,
    worst: worstView(line),
    expected: expectedView(expected(past?.places.get(place) ?? [])),
  };
}

const bodyView = (place: Path, past: PastCosts | undefined): PlaceView => ({
  place,
  model: null,
  price: null,
  call: null,
  times: [],
  worst: null,
  expected: expectedView(expected(past?.places.get(place) ?? [])),
});

function worstView(bound: Pick<Bound, "use" | "open">): WorstView {
  const { use, open } = bound;
  const known = { costUsd: decimalUsd(use.picoUsd), tokens: Number(use.tokens), calls: Number(use.calls) };
  const orNull = <T>(kind: keyof Use, value: T): T | null => (isOpen(bound, kind) ? null : value);
  return {
    costUsd: orNull("picoUsd", known.costUsd),
    tokens: orNull("tokens", known.tokens),
    calls: orNull("calls", known.calls),
    known,
    unbounded: open.map(({ why }: Opening) => why),
  };
}

function expectedView(past: Expected | undefined): ExpectedView | null {
  if (past === undefined) return null;
  return {
    runs: past.runs,
    meanUsd: decimalUsd(past.meanPicoUsd),
    p95Usd: decimalUsd(past.p95PicoUsd),
    mostUsd: decimalUsd(past.mostPicoUsd),
    meanCalls: past.meanCalls,
  };
}

function budgetView({ picoUsd, tokens, calls }: Limits): DryRun["budget"] {
  return {
    ...(picoUsd === undefined ? {} : { costUsd: decimalUsd(BigInt(picoUsd)) }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(calls === undefined ? {} : { calls }),
  };
}

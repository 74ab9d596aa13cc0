/** What the calls of one place can cost at most: an agent's, and those of a step that calls one model. */
import type { QuotedRates } from "../core/context.ts";
import type { PicoUsd } from "../core/limits.ts";
import type { Asked, Bought, KnownInput, WorkNode } from "../core/node.ts";
import type { Path } from "../core/paths.ts";
import {
  type Bound,
  both,
  either,
  type Line,
  nothing,
  type Opening,
  repeated,
  type Use,
  unknown,
} from "./bounds.ts";

/** What an estimate goes by beside the tree. */
export interface EstimateFacts {
  /** The highest rates of a model in a call with these options; undefined without a known price. */
  readonly rates: (model: string, options: object | undefined) => QuotedRates | undefined;
  /** The price of an image; undefined without a known one. */
  readonly imagePrice: (model: string) => PicoUsd | undefined;
  /** How often one call is made before its failure is the step's. */
  readonly tries: number;
  /** How often one call may be refused besides: such refusals are free, and count as calls. */
  readonly refusals: number;
  /** The run's input and first state, where they are given. */
  readonly known?: KnownInput | undefined;
  /** Tokens each unknown text is taken to have. Absent: such a text has no bound. */
  readonly textTokens?: number | undefined;
  /** Items each list of unknown length is taken to have. Absent: it has no bound. */
  readonly items?: number | undefined;
}

/** One of its models answers, after others were asked in vain. */
export async function agentBound(
  node: WorkNode,
  path: Path,
  known: KnownInput | undefined,
  facts: EstimateFacts,
): Promise<Bound> {
  const asked = await node.asks?.(known);
  if (asked === undefined) return unknown(`${path} does not say what it asks`);
  const [first = nothing, ...others] = (node.models ?? []).map((model) =>
    modelBound(path, model, asked, facts),
  );
  // Each of several models may be asked in vain before the next; one of them must be.
  return others.reduce((all, next) => ({ ...both(all, next), must: either(all, next).must }), first);
}

function modelBound(path: Path, model: string, asked: Asked, facts: EstimateFacts): Bound {
  const { rates, tries, refusals, textTokens } = facts;
  const rate = rates(model, asked.providerOptions);
  const { wanted, least } = asked.outputTokens;
  const cost = (input: bigint, output: bigint): bigint =>
    rate === undefined ? 0n : input * rate.input + output * rate.output;
  // Where texts are taken to have a length, a cut answer has all that its cap allows.
  const cut = asked.goesOn && textTokens !== undefined ? wanted : 0;
  const input = BigInt(asked.inputTokens + (textTokens ?? 0) * asked.unknown.length + cut);
  const calls = BigInt(asked.calls);
  // Each later call repeats what was said since the first: an answer, and results or corrections.
  const said = textTokens === undefined ? 0n : BigInt(wanted + textTokens) * ((calls * (calls - 1n)) / 2n);
  const [inputs, outputs] = [calls * input + said, calls * BigInt(wanted)];
  const once: Use = { picoUsd: cost(inputs, outputs), tokens: inputs + outputs, calls };
  const open = openingsOf(path, model, asked, facts, rate === undefined);
  const smallest = BigInt(Math.min(least, wanted));
  const fewest = BigInt(asked.inputTokens);
  const line: Line = {
    place: path,
    model,
    call: {
      inputTokens: Number(input),
      unknown: textTokens === undefined ? asked.unknown : [],
      outputTokens: wanted,
      picoUsd: rate && cost(input, BigInt(wanted)),
    },
    times: asked.calls > 1 ? [{ what: "calls", n: asked.calls }] : [],
    use: once,
    open,
  };
  const bound: Bound = {
    use: once,
    open,
    must: { picoUsd: cost(fewest, smallest), tokens: fewest + smallest, calls: 1n },
    impossible: [],
    lines: new Map([[`${path} ${model}`, line]]),
  };
  const tried = repeated(bound, tries, "tries");
  return refusable(tried, calls * BigInt(tries + refusals));
}

/** A step that calls one model: its calls have nothing of one another in their input. */
export function boughtBound(node: WorkNode, path: Path, bought: Bought, facts: EstimateFacts): Bound {
  const [model = ""] = node.models ?? [];
  const { images, texts, providerOptions } = bought;
  const { textTokens, items = 1, tries, refusals } = facts;
  const isKnown = images > 0 || texts !== undefined;
  const [number, tokens] = isKnown
    ? [images + (texts ?? 0), bought.inputTokens]
    : [items, items * (textTokens ?? 0)];
  const rate = images > 0 ? facts.imagePrice(model) : facts.rates(model, providerOptions)?.input;
  const times = BigInt(images > 0 ? images : tokens);
  const use: Use = {
    picoUsd: times * (rate ?? 0n),
    tokens: BigInt(tokens),
    calls: BigInt(number),
  };
  const open: Opening[] = rate === undefined ? [{ why: `${model} has no known price`, of: ["picoUsd"] }] : [];
  const why = `the texts of ${path} are made of what is not known before it runs`;
  if (!isKnown && textTokens === undefined) open.push({ why, of: ["picoUsd", "tokens", "calls"] });
  const line: Line = {
    place: path,
    model,
    call: {
      inputTokens: tokens,
      unknown: isKnown || textTokens !== undefined ? [] : ["its texts"],
      outputTokens: 0,
      picoUsd: images > 0 ? rate : rate && use.picoUsd,
    },
    times: images > 1 ? [{ what: "images", n: images }] : [],
    use,
    open,
  };
  const least = isKnown && number > 0 ? 1n : 0n;
  const must: Use = { picoUsd: images > 0 ? (rate ?? 0n) : 0n, tokens: 0n, calls: least };
  const lines = new Map([[`${path} ${model}`, line]]);
  const tried = repeated({ use, open, must, impossible: [], lines }, tries, "tries");
  return refusable(tried, BigInt(number) * BigInt(tries + refusals));
}

/** Refusals are free, and count as calls. */
function refusable(tried: Bound, calls: bigint): Bound {
  const use = { ...tried.use, calls };
  return { ...tried, use, lines: new Map([...tried.lines].map(([key, one]) => [key, { ...one, use }])) };
}

function openingsOf(
  path: Path,
  model: string,
  asked: Asked,
  facts: EstimateFacts,
  unpriced: boolean,
): Opening[] {
  const open: Opening[] = [];
  if (unpriced) open.push({ why: `${model} has no known price`, of: ["picoUsd"] });
  for (const tool of asked.pricedTools)
    open.push({
      why: `the tool ${tool} of ${path} has a price, and is called as often as its model likes`,
      of: ["picoUsd"],
    });
  if (facts.textTokens !== undefined) return open;
  if (asked.goesOn) {
    const why = `a cut answer of ${path} is gone on with, and sent along`;
    open.push({ why, of: ["picoUsd", "tokens"] });
  }
  for (const what of asked.unknown)
    open.push({
      why: `${what.replace(/^its/, "the")} of ${path} is made of what is not known before it runs`,
      of: ["picoUsd", "tokens"],
    });
  if (asked.calls > 1)
    open.push({
      why: `each further call of ${path} repeats what was said before`,
      of: ["picoUsd", "tokens"],
    });
  return open;
}

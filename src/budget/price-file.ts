/**
 * A file of prices, JSON or YAML, in US dollars a million tokens:
 *
 *     source: our contract        # where they are from, and
 *     date: 2026-11-01            # of which day: for all below, unless one says otherwise
 *     prices:
 *       openai:gpt-4o:
 *         input: "2.50"           # amounts are texts, so that nobody rounds them
 *         output: "10"
 *         cacheRead: "1.25"       # cacheRead, cacheWrite and reasoning may be left out
 *         tiers:                  # and so may other rates for long inputs
 *           - above: 200000
 *             input: "5"
 */
import { InvalidOptionError } from "../core/errors.ts";
import { picoUsd, type Usd } from "../core/limits.ts";
import { type DeclaredPrice, type PriceTier, rateFields } from "./declared-prices.ts";

/** A price that says where it is from. */
export type FiledPrice = DeclaredPrice & { readonly source: string; readonly date: string };
export interface FiledPrices {
  readonly [model: string]: FiledPrice;
}

type Keys = readonly string[];
/** Notes what is wrong with the value at some keys. */
type Complain = (keys: Keys, what: string) => void;

/**
 * The prices of a file's text.
 *
 * @param name of the file, for messages.
 * @throws InvalidOptionError naming each wrong line and field.
 */
export async function readPriceFile(text: string, name: string): Promise<FiledPrices> {
  const { LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number | undefined): number => lines.linePos(offset ?? 0).line;
  const problems = document.errors.map((error) => `line ${lineAt(error.pos[0])}: ${error.message}`);
  if (problems.length > 0) throw unreadable(name, problems);
  const complain: Complain = (keys, what) => {
    const node: unknown = keys.length === 0 ? document.contents : document.getIn(keys, true);
    // What is missing has no place of its own: then its owner's is told.
    const at = hasRange(node) ? node : document.getIn(keys.slice(0, -1), true);
    problems.push(
      `line ${lineAt(hasRange(at) ? at.range[0] : 0)}: ${[fieldOf(keys), what].join(" ").trim()}`,
    );
  };
  const prices = pricesIn(document.toJS(), complain);
  if (problems.length > 0) throw unreadable(name, problems);
  return prices;
}

const hasRange = (node: unknown): node is { readonly range: readonly number[] } =>
  typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);

/** `prices."openai:gpt-4o".input` */
const fieldOf = (keys: Keys): string =>
  keys.map((key) => (/^\w+$/.test(key) ? key : JSON.stringify(key))).join(".");

const mostTold = 20;

function unreadable(name: string, problems: readonly string[]): InvalidOptionError {
  const told = problems.slice(0, mostTold);
  const more = problems.length > mostTold ? [`… and ${problems.length - mostTold} more`] : [];
  return new InvalidOptionError(`${name} is no file of prices:\n  ${[...told, ...more].join("\n  ")}`, {
    hint: 'Write US dollars a million tokens as texts, with their source and date: { "source": "…", "date": "2026-11-01", "prices": { "openai:gpt-4o": { "input": "2.50", "output": "10" } } }',
  });
}

const fileFields = ["source", "date", "prices"];
const tierFields = ["above", ...rateFields];
const priceFields = [...rateFields, "tiers", "source", "date"];

function pricesIn(content: unknown, complain: Complain): FiledPrices {
  const all = recordAt(content, [], fileFields, complain);
  const models = recordAt(all.prices, ["prices"], undefined, complain);
  const shared = { source: textAt(all, [], "source", complain), date: dateAt(all, [], complain) };
  const found: Record<string, FiledPrice> = {};
  for (const [model, value] of Object.entries(models)) {
    const keys = ["prices", model];
    if (!/^[^\s:]+:\S+$/.test(model)) complain(keys, 'is no model; write "provider:model"');
    const fields = recordAt(value, keys, priceFields, complain);
    const source = textAt(fields, keys, "source", complain) ?? shared.source;
    const date = dateAt(fields, keys, complain) ?? shared.date;
    if (source === undefined) complain(keys, "has no source, and neither has the file");
    if (date === undefined) complain(keys, "has no date, and neither has the file");
    const { input, output, ...rest } = ratesAt(fields, keys, complain);
    for (const field of ["input", "output"])
      if (fields[field] === undefined) complain([...keys, field], "is missing");
    const tiers = tiersAt(fields.tiers, [...keys, "tiers"], complain);
    if (input === undefined || output === undefined || source === undefined || date === undefined) continue;
    found[model] = { input, output, ...rest, ...(tiers === undefined ? {} : { tiers }), source, date };
  }
  return found;
}

function tiersAt(value: unknown, keys: Keys, complain: Complain): readonly PriceTier[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) {
    complain(keys, 'is no list: [{ above: 200000, input: "5" }]');
    return undefined;
  }
  const starts = new Set<unknown>();
  return value.map((one: unknown, i) => {
    const at = [...keys, `${i}`];
    const fields = recordAt(one, at, tierFields, complain);
    const { above } = fields;
    if (!Number.isSafeInteger(above) || Number(above) <= 0 || starts.has(above))
      complain([...at, "above"], `is ${JSON.stringify(above)}; write a number of input tokens, each once`);
    starts.add(above);
    return { above: Number(above), ...ratesAt(fields, at, complain) };
  });
}

/** The rates that are named. */
function ratesAt(fields: Fields, keys: Keys, complain: Complain): Omit<PriceTier, "above"> {
  const named = rateFields.map((field) => [field, amountAt(fields, keys, field, complain)] as const);
  return Object.fromEntries(named.filter(([, amount]) => amount !== undefined));
}

type Fields = { readonly [field: string]: unknown };

/** @param known the fields it may have; undefined: any. */
function recordAt(
  value: unknown,
  keys: Keys,
  known: readonly string[] | undefined,
  complain: Complain,
): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    complain(keys, keys.length === 0 ? `it has no "prices"` : "is missing, or no object");
    return {};
  }
  for (const field of Object.keys(value)) {
    if (known !== undefined && !known.includes(field))
      complain([...keys, field], `is no field; those are ${known.join(", ")}`);
  }
  return value as Fields; // an object, no list
}

function textAt(fields: Fields, keys: Keys, field: string, complain: Complain): string | undefined {
  const value = fields[field];
  if (value === undefined || (typeof value === "string" && value.trim() !== "")) return value;
  complain([...keys, field], "is no text");
  return undefined;
}

function dateAt(fields: Fields, keys: Keys, complain: Complain): string | undefined {
  const date = textAt(fields, keys, "date", complain);
  if (date === undefined || isDay(date)) return date;
  complain([...keys, "date"], `is ${JSON.stringify(date)}; write a day: "2026-11-01"`);
  return undefined;
}

function isDay(text: string): boolean {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function amountAt(
  fields: Fields,
  keys: Keys,
  field: (typeof rateFields)[number],
  complain: Complain,
): Usd | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  const amount = typeof value === "string" ? `$${value.replace(/^\$/, "")}` : "";
  try {
    picoUsd(amount);
    return amount as Usd; // picoUsd has read it
  } catch {
    const hint = typeof value === "number" ? `; write it as a text: "${value}"` : ', not an amount: "2.50"';
    complain([...keys, field], `is ${JSON.stringify(value)}${hint}`);
    return undefined;
  }
}

/** What a newer file changes in an older one. */
export interface PriceChanges {
  readonly prices: FiledPrices;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** How many stay as they were. */
  readonly unchanged: number;
}

/** The newer prices over the older ones; models the newer file does not name keep theirs. */
export function updatedPrices(older: FiledPrices, newer: FiledPrices): PriceChanges {
  const known = new Set(Object.keys(older));
  const differs = (model: string): boolean => priceText(older[model]) !== priceText(newer[model]);
  const named = Object.keys(newer);
  const added = named.filter((model) => !known.has(model));
  const changed = named.filter((model) => known.has(model) && differs(model));
  const prices = { ...older, ...newer };
  const unchanged = Object.keys(prices).length - added.length - changed.length;
  return { prices, added: added.sort(), changed: changed.sort(), unchanged };
}

const priceText = (price: FiledPrice | undefined): string =>
  JSON.stringify(priceFields.map((field) => (price as Fields | undefined)?.[field]));

/** The text of a file of these prices, the same for the same prices. */
export function priceFileText(prices: FiledPrices): string {
  const sorted = Object.entries(prices).sort(([a], [b]) => (a < b ? -1 : 1));
  const inOrder = sorted.map(([model, price]) => [
    model,
    Object.fromEntries(priceFields.flatMap((field) => fieldPair(price as unknown as Fields, field))),
  ]);
  return `${JSON.stringify({ prices: Object.fromEntries(inOrder) }, null, 2)}\n`;
}

function fieldPair(fields: Fields, field: string): [string, unknown][] {
  return fields[field] === undefined ? [] : [[field, fields[field]]];
}

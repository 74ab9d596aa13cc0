import { existsSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { bookOf, pricesOf } from "../../agents/price-source.ts";
import type { PriceBook } from "../../budget/price-book.ts";
import { priceFileText, updatedPrices } from "../../budget/price-file.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import type { Path } from "../../core/paths.ts";
import { eachPlace } from "../../core/tree.ts";
import { rootOf } from "../../engine/root.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { count } from "../format.ts";
import { CommandError } from "../letter.ts";
import { loadPipeline } from "../load/pipeline.ts";
import { exportOption, jsonOption, wholeNumber } from "../options.ts";
import { type CheckedModel, checkText, type ListedPrice, pricesText } from "../price-report.ts";
import { ageDays, findPriceView } from "../price-view.ts";
import { priceFileName, readSettings } from "../settings.ts";
import { result, say } from "../terminal.ts";

interface CheckFlags {
  readonly maxAge: number;
  readonly export?: string;
  readonly json?: boolean;
}

/** `flujo prices list [PATTERN]`, `flujo prices check FILE|MODEL…`, `flujo prices update --from FILE` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const prices = program
    .command("prices")
    .description("What models cost, in US dollars a million tokens. Nothing is fetched.");
  prices
    .command("list [pattern]")
    .description(
      "The prices that hold in this folder; of models whose name has the pattern in it, * for anything.",
    )
    .addOption(jsonOption())
    .action(async (pattern: string | undefined, flags: { readonly json?: boolean }) =>
      done(await list(pattern, flags)),
    );
  prices
    .command("check <what...>")
    .description("The price, source and date of every model a pipeline's file names, or of models by name.")
    .addOption(
      new Option("--max-age <days>", "warn of prices older than so many days")
        .default(180)
        .argParser(wholeNumber(0)),
    )
    .addOption(exportOption("of the file to look at"))
    .addOption(jsonOption())
    .action(async (what: string[], flags: CheckFlags) => done(await check(what, flags)));
  prices
    .command("update")
    .description(`Take prices from a JSON or YAML file into ${priceFileName} of this folder.`)
    .requiredOption("--from <file>", "the file of prices; docs/prices.md describes it")
    .addOption(jsonOption())
    .action(async (flags: { readonly from: string; readonly json?: boolean }) => done(await update(flags)));
}

/** Of models that are not listed one by one, the exact name is a pattern, too. */
async function list(pattern: string | undefined, flags: { readonly json?: boolean }): Promise<number> {
  const { models = {} } = await readSettings({});
  const book = bookOf(models);
  const names = (await book.models()).filter((model) => isLike(model, pattern));
  const wanted = names.length === 0 && pattern?.includes(":") ? [pattern] : names;
  const listed: ListedPrice[] = [];
  for (const model of wanted) {
    const price = await findPriceView(book, model, Date.now());
    if (price === undefined) continue;
    const own = Object.hasOwn(models.prices ?? {}, model);
    listed.push({ model, own, ...price });
  }
  if (flags.json) await printJson({ prices: listed });
  else if (listed.length > 0) await result(`${pricesText(listed)}\n`);
  else {
    say(`There is no price of a model like "${pattern}".`);
    say(remedy);
  }
  return exit.completed;
}

function isLike(model: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(parts.join(".*"), "i").test(model);
}

async function check(what: readonly string[], flags: CheckFlags): Promise<number> {
  const { models = {} } = await readSettings({});
  const book = bookOf(models);
  const named = new Map<string, Path[]>();
  for (const one of what) {
    for (const [model, places] of await modelsOf(one, flags.export))
      named.set(model, [...(named.get(model) ?? []), ...places]);
  }
  const checked: CheckedModel[] = [];
  for (const [model, places] of named) checked.push(await checkedModel(model, places, book, flags.maxAge));
  if (flags.json) await printJson({ models: checked });
  else if (checked.length > 0) await result(`${checkText(checked)}\n`);
  else say("It names no model: only steps that call one in their body could.");
  const unknown = checked.filter(({ price }) => price === null);
  for (const { model, ageDays: age } of checked.filter(({ isOld }) => isOld))
    say(`The price of ${model} is ${count(age ?? 0, "day")} old. See whether it still holds.`);
  if (unknown.length === 0) return exit.completed;
  say(`There is no price of ${unknown.map(({ model }) => model).join(", ")}.`);
  say(remedy);
  return exit.invalid;
}

async function checkedModel(
  model: string,
  places: readonly Path[],
  book: PriceBook,
  maxAge: number,
): Promise<CheckedModel> {
  const now = Date.now();
  const price = (await findPriceView(book, model, now)) ?? null;
  const age = price === null ? undefined : ageDays(price.date, now);
  return { model, places, price, ageDays: age ?? null, isOld: age !== undefined && age > maxAge };
}

/** A pipeline's models with the places that name them; or the model itself. */
async function modelsOf(what: string, name: string | undefined): Promise<Map<string, Path[]>> {
  const found = new Map<string, Path[]>();
  if (!existsSync(what) && /^[^\s:/\\]+:\S+$/.test(what)) return found.set(what, []);
  if (!existsSync(what) && !/\.[cm]?[jt]sx?$/.test(what)) {
    throw new CommandError(
      "usage",
      `"${what}" is neither a file nor a model`,
      'Write a pipeline\'s file, or "provider:model", as openai:gpt-4o-mini.',
    );
  }
  const { node } = await loadPipeline(what, name);
  eachPlace(rootOf(node).node, "", (place, path) => {
    if (!("models" in place)) return;
    for (const model of place.models ?? []) found.set(model, [...(found.get(model) ?? []), path]);
  });
  return found;
}

const remedy =
  'Give it one, in US dollars a million tokens: models: { prices: { "provider:model": { input: "$1", output: "$2" } } } in flujo.config.ts, or flujo prices update --from FILE.';

async function update(flags: { readonly from: string; readonly json?: boolean }): Promise<number> {
  const newer = await pricesOf(resolve(flags.from));
  const kept = resolve(priceFileName);
  const older = existsSync(kept) ? await pricesOf(kept) : {};
  const { prices, added, changed, unchanged } = updatedPrices(older, newer);
  if (added.length + changed.length > 0) replace(kept, priceFileText(prices));
  if (flags.json) await printJson({ file: kept, added, changed, unchanged });
  for (const model of added) say(`new      ${model}`);
  for (const model of changed) say(`changed  ${model}`);
  say(`${priceFileName}: ${added.length} new, ${changed.length} changed, ${unchanged} as they were.`);
  return exit.completed;
}

/** Whole or not at all: a reader never sees half of it. */
function replace(file: string, text: string): void {
  const beside = `${file}.${process.pid}.new`;
  try {
    writeFileSync(beside, text);
    renameSync(beside, file);
  } catch (cause) {
    throw new InvalidOptionError(`${file} cannot be written: ${(cause as Error).message}`, {
      cause,
      hint: "The prices stay as they were. Check the folder's permissions and space.",
    });
  }
}

import type { Command } from "commander";
import type { Json } from "../../../core/json.ts";
import { documentOf, type Improvable, type ImprovablesDocument } from "../../../evals/improve/document.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { clip, tableText } from "../../format.ts";
import { loadPipeline } from "../../load/pipeline.ts";
import { exportOption, jsonOption } from "../../options.ts";
import { result } from "../../terminal.ts";

interface Flags {
  readonly export?: string;
  readonly json?: boolean;
}

/** `flujo improve document FILE` */
export function declare(improve: Command, done: (exitCode: number) => void): void {
  improve
    .command("document <file>")
    .description(
      "What may be improved of a pipeline: every value, its bounds, and whether its owner lets it change.",
    )
    .addOption(exportOption("to look at"))
    .addOption(jsonOption("also on a terminal"))
    .action(async (file: string, flags: Flags) => done(await print(file, flags)));
}

async function print(file: string, { export: name, json }: Flags): Promise<number> {
  const { step } = await loadPipeline(file, name);
  const document = documentOf(step);
  if (json || !process.stdout.isTTY) await printJson(document);
  else await result(`${documentText(document)}\n`);
  return exit.completed;
}

const widest = 60;

export function documentText({ pipeline, fingerprint, places }: ImprovablesDocument): string {
  const rows = Object.entries(places).flatMap(([place, fields]) =>
    Object.entries(fields).map(([field, one], i) => [
      i === 0 ? place : "",
      field,
      one.mayChange ? "may" : "",
      one.value === undefined ? "(default)" : clip(textOf(one.value), widest),
      boundsOf(one),
    ]),
  );
  if (rows.length === 0) return `Nothing of "${pipeline}" (${fingerprint}) is data that can be changed.`;
  return `${pipeline} ${fingerprint}\n\n${tableText([["PLACE", "VALUE", "CHANGE", "IS", "TAKES"], ...rows])}`;
}

const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

function boundsOf({ min, max, choices, placeholders = [] }: Improvable): string {
  const parts = [
    ...(min === undefined ? [] : [`from ${min}`]),
    ...(max === undefined ? [] : [`to ${max}`]),
    ...(choices === undefined ? [] : [choices.map(textOf).join(" | ")]),
    ...(placeholders.length === 0 ? [] : [`with ${placeholders.join(" ")}`]),
  ];
  return clip(parts.join(" "), widest);
}

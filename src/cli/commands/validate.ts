import type { Command } from "commander";
import { models } from "../../agents/models.ts";
import { FlujoError, type Problem } from "../../core/errors.ts";
import { limitsOf } from "../../core/limits.ts";
import type { Node } from "../../core/node.ts";
import { findProblems, modelsIn } from "../../core/validation.ts";
import { rootOf } from "../../engine/root.ts";
import { exit } from "../exit.ts";
import { loadPipeline } from "../load/pipeline.ts";
import { exportOption } from "../options.ts";
import type { Settings } from "../settings.ts";
import { readSettings } from "../settings.ts";
import { paint, printable, say, sayStyled } from "../terminal.ts";

interface Flags {
  readonly export?: string;
}

/** `flujo validate FILE` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("validate <file>")
    .description("Say everything that is wrong with a pipeline, without running it.")
    .addOption(exportOption("to look at"))
    .action(async (file: string, flags: Flags) => done(await validate(file, flags)));
}

async function validate(file: string, flags: Flags): Promise<number> {
  const settings = await readSettings({});
  const { node } = await loadPipeline(file, flags.export);
  const problems = [...findProblems(node), ...(await modelProblems(node, settings))];
  for (const { path, code, message } of problems) {
    sayStyled(`${paint("red", code)}  ${printable(path)}`);
    say(`  ${message}`);
  }
  if (problems.length === 0) {
    say(`${file} is fine.`);
    return exit.completed;
  }
  say(problems.length === 1 ? "1 problem." : `${problems.length} problems.`);
  return exit.invalid;
}

/** Models that cannot be called, or have no price where a cost limit holds. */
async function modelProblems(node: Node, settings: Settings): Promise<Problem[]> {
  const source = models(settings.models);
  const limits = settings.budget === undefined ? declared(node) : limitsOf(settings.budget);
  const problems: Problem[] = [];
  for (const { model, kind, path } of modelsIn(node)) {
    const error = await source.examine(model, { price: limits?.picoUsd !== undefined, kind });
    if (error === undefined) continue;
    const known = FlujoError.isInstance(error) ? error : undefined;
    const message = [error.message, known?.hint].filter((text) => text !== undefined).join(". ");
    problems.push({ code: known?.code ?? "unknown-model", path, message });
  }
  return problems;
}

/** The limits of the pipeline itself; of one that cannot run, none. */
function declared(node: Node) {
  return findProblems(node).length > 0 ? undefined : rootOf(node).limits;
}

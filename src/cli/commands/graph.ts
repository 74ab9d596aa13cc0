import { type Command, Option } from "commander";
import { rootOf } from "../../engine/root.ts";
import { type GraphFormat, graph, graphFormats } from "../../lens/graph.ts";
import { exit } from "../exit.ts";
import { loadPipeline } from "../load/pipeline.ts";
import { exportOption } from "../options.ts";
import { result } from "../terminal.ts";

interface Flags {
  readonly format: GraphFormat;
  readonly export?: string;
}

/** `flujo graph FILE` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("graph <file>")
    .description("Draw a pipeline, without running it.")
    .addOption(new Option("--format <format>", "how").choices(graphFormats).default("text"))
    .addOption(exportOption("to draw"))
    .action(async (file: string, flags: Flags) => done(await draw(file, flags)));
}

async function draw(file: string, flags: Flags): Promise<number> {
  const { node } = await loadPipeline(file, flags.export);
  await result(`${graph(rootOf(node).node, flags.format)}\n`);
  return exit.completed;
}

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { InvalidOptionError } from "../../../core/errors.ts";
import { type PatchFile, parsePatchFile } from "../../../evals/improve/patch-file.ts";
import { exit } from "../../exit.ts";
import type { PipelineFlags } from "../../improve/only-pipeline.ts";
import { aboutPipeline, overlaidPipeline, putInForce } from "../../improve/overlay.ts";
import { say } from "../../terminal.ts";

interface Flags extends PipelineFlags {
  readonly force?: boolean;
}

/** `flujo improve apply FILE` */
export function declare(improve: Command, done: (exitCode: number) => void): void {
  const command = improve
    .command("apply [file]")
    .description("Put a patch in force, as the overlay of its pipeline (default: flujo.patch.json).")
    .option("--force", "also one that its evidence does not speak for");
  aboutPipeline(command).action(async (file: string | undefined, flags: Flags) =>
    done(await apply(file, flags)),
  );
}

export const patchFileName = "flujo.patch.json";

async function apply(file = patchFileName, { force, ...flags }: Flags): Promise<number> {
  const patch = await readPatch(file);
  const overlaid = await overlaidPipeline(flags, patch.pipeline);
  say(await putInForce(overlaid, patch, force ? { force } : {}));
  return exit.completed;
}

/** @throws InvalidOptionError */
export async function readPatch(file: string): Promise<PatchFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new InvalidOptionError(`${file} cannot be read: ${(error as Error).message}`);
  }
  return parsePatchFile(text, file);
}

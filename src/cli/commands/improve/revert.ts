import type { Command } from "commander";
import { InvalidOptionError } from "../../../core/errors.ts";
import { type OverlayFile, patchesInForce, withReverted } from "../../../evals/improve/overlay-file.ts";
import { changeOverlayFile } from "../../../evals/improve/overlay-on-disk.ts";
import { exit } from "../../exit.ts";
import type { PipelineFlags } from "../../improve/only-pipeline.ts";
import { aboutPipeline, now, overlaidPipeline } from "../../improve/overlay.ts";
import { say } from "../../terminal.ts";

interface Flags extends PipelineFlags {
  readonly all?: boolean;
}

/** `flujo improve revert [ID]` */
export function declare(improve: Command, done: (exitCode: number) => void): void {
  const command = improve
    .command("revert [id]")
    .description(
      "Take a patch back that is in force (default: the last one). Runs keep what they began with.",
    )
    .option("--all", "all that are in force");
  aboutPipeline(command).action(async (id: string | undefined, flags: Flags) =>
    done(await revert(id, flags)),
  );
}

async function revert(id: string | undefined, { all = false, ...flags }: Flags): Promise<number> {
  if (all && id !== undefined)
    throw new InvalidOptionError(`${id} and --all are both there`, { hint: "Keep one." });
  const { name, base, path } = await overlaidPipeline(flags);
  const taken: string[] = [];
  await changeOverlayFile(path, (before) => {
    let file: OverlayFile = before;
    const times = all ? Math.max(1, patchesInForce(before, name).length) : 1;
    for (let left = times; left > 0; left -= 1) {
      const change = withReverted(file, name, { at: now(), base }, id);
      file = change.file;
      taken.push(change.reverted.id);
    }
    return file;
  });
  say(`${taken.join(", ")} ${taken.length === 1 ? "is" : "are"} in force no more for "${name}".`);
  return exit.completed;
}

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { InvalidOptionError } from "../../../core/errors.ts";
import { historyOf, patchesInForce, patchOf } from "../../../evals/improve/overlay-file.ts";
import type { PatchFile } from "../../../evals/improve/patch-file.ts";
import { patchReport } from "../../../evals/improve/report.ts";
import { reportMarkdown } from "../../../evals/improve/report-markdown.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import type { PipelineFlags } from "../../improve/only-pipeline.ts";
import { aboutPipeline, overlaidPipeline } from "../../improve/overlay.ts";
import { reportText } from "../../improve/report-text.ts";
import { result } from "../../terminal.ts";
import { readPatch } from "./apply.ts";

interface Flags extends PipelineFlags {
  readonly json?: boolean;
  readonly markdown?: boolean;
}

/** `flujo improve explain [PATCH]` */
export function declare(improve: Command, done: (exitCode: number) => void): void {
  const command = improve
    .command("explain [patch]")
    .description(
      "What a patch changes, what speaks for it, and where it comes from: a file, or the id of one that is or was in force (default: the last in force).",
    )
    .option("--json", "print the patch itself")
    .option("--markdown", "print it in Markdown");
  aboutPipeline(command).action(async (patch: string | undefined, flags: Flags) =>
    done(await explain(patch, flags)),
  );
}

async function explain(which: string | undefined, { json, markdown, ...flags }: Flags): Promise<number> {
  const patch = which !== undefined && existsSync(which) ? await readPatch(which) : await known(which, flags);
  if (json) await printJson(patch);
  else {
    const report = await patchReport(patch);
    await result(markdown ? reportMarkdown(report) : reportText(report));
  }
  return exit.completed;
}

/** One that is in force, or was. */
async function known(id: string | undefined, flags: PipelineFlags): Promise<PatchFile> {
  const { name, file } = await overlaidPipeline(flags);
  const all = historyOf(file, name).flatMap((entry) => (entry.kind === "applied" ? [entry.patch] : []));
  const distinct = [...new Map(all.map((one) => [one.id, one])).values()];
  const found = id === undefined ? patchesInForce(file, name).at(-1) : patchOf(distinct, id);
  if (found !== undefined) return found;
  const what = id === undefined ? "no patch is" : `there is no file ${id}, and no patch of that id is or was`;
  throw new InvalidOptionError(`${what} in force over "${name}"`, {
    hint: "flujo improve history lists those that are and were.",
  });
}

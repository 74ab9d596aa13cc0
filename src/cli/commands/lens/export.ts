import { open } from "node:fs/promises";
import { type Command, Option } from "commander";
import { fold } from "../../../core/fold.ts";
import { costsOfRun } from "../../../lens/costs.ts";
import { Places } from "../../../lens/places.ts";
import { trace } from "../../../lens/trace.ts";
import { readOutline } from "../../../lens/versions.ts";
import { wholeRun } from "../../../lens/whole.ts";
import { exit } from "../../exit.ts";
import { atRun, looking, type Recorded } from "../../lens/recorded.ts";
import { CommandError } from "../../letter.ts";
import { result, say } from "../../terminal.ts";

const formats = ["json", "csv", "otlp", "html"] as const;

interface Flags {
  readonly format: (typeof formats)[number];
  readonly output?: string;
  readonly content?: boolean;
  readonly store?: string;
}

/** `flujo lens export RUN` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("export <run>")
    .description(
      "A run as a file: json (all of it), csv (its operations), otlp (its trace, for a collector), html (to look at, by itself).",
    )
    .addOption(new Option("--format <format>", "which").choices(formats).default("json"))
    .option("--output <file>", "where to; a file that exists is left alone (default: stdout)")
    .option("--content", "of otlp: inputs, outputs and error messages as well");
  looking(command).action(async (name: string, flags: Flags) =>
    done(await atRun(name, flags, (run) => write(run, flags))),
  );
}

async function write(run: Recorded, { format, output, content = false }: Flags): Promise<number> {
  const text = await makers[format](run, content);
  if (output === undefined) await result(text);
  else {
    await save(output, text);
    say(`${output} has run ${run.runId} as ${format}.`);
  }
  return exit.completed;
}

const traced = ({ store, runId, entries }: Recorded) => trace(runId, entries, ({ hash }) => store.blob(hash));

const makers: { readonly [format in Flags["format"]]: (run: Recorded, content: boolean) => Promise<string> } =
  {
    json: async ({ store, runId, entries }) =>
      `${JSON.stringify(await wholeRun(store, runId, entries), null, 2)}\n`,
    csv: async (run) => (await import("../../../lens/csv.ts")).operationsCsv(await traced(run)),
    html: async (run) => {
      const { traceHtml } = await import("../../../lens/html.ts");
      return traceHtml(await traced(run), await costsOfRun(run.store, run.entries));
    },
    async otlp(run, content) {
      const { otlpDocument } = await import("../../../telemetry/otlp.ts");
      const { created, outline, manifest } = fold(run.entries);
      const { places = [] } =
        (outline === undefined ? undefined : await readOutline(run.store, outline)) ?? {};
      const kinds = new Map(places.map(({ path, kind }) => [path, kind]));
      const placeOf = await new Places(run.store).of(manifest);
      const kindOf = (path: string) => kinds.get(placeOf(path));
      return `${JSON.stringify(await otlpDocument({ ...run, pipeline: created?.pipeline ?? "", kindOf, content }))}\n`;
    },
  };

/** @throws CommandError when there is a file already, or it cannot be written. */
async function save(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // what node:fs throws
    if (code === "EEXIST")
      throw new CommandError(
        "usage",
        `${path} exists, and was left alone`,
        "Name another file, or remove it.",
      );
    throw new CommandError("usage", `${path} cannot be written: ${String(error)}`);
  }
}

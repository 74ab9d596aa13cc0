import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { exit } from "../exit.ts";
import { CommandError } from "../letter.ts";
import { yesOption } from "../options.ts";
import { say } from "../terminal.ts";

const pipelineSource = `import { agent, mapOver, pipeline, step } from "flujo";

/** offline:extract picks sentences from the text; it is not an LLM, and needs no key. */
const model = process.env.OPENAI_API_KEY ? "openai:gpt-4o-mini" : "offline:extract";

const split = step("split", (text: string) => text.split(/\\n\\s*\\n/).filter((part) => part.trim() !== ""));

const summarise = agent("summarise", { model, system: "Summarise the text in one sentence." });

const join = step("join", (lines: string[]) => lines.map((line) => \`- \${line}\`).join("\\n"));

export default pipeline("summary", split.to(mapOver("each", summarise.retry({ attempts: 3 }))).to(join)).budget("$0.05");
`;

/** `flujo init [DIR]` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("init [dir]")
    .description(
      "Write a small project that works: pipeline.ts, package.json, .gitignore. Nothing is overwritten.",
    )
    .addOption(yesOption())
    .action(async (dir: string | undefined, flags: { readonly yes?: boolean }) =>
      done(await init(dir, flags)),
    );
}

async function init(dir: string | undefined, { yes }: { readonly yes?: boolean }): Promise<number> {
  const asks = process.stdin.isTTY && process.stderr.isTTY && !yes;
  const folder = resolve(dir ?? (asks ? await askFolder() : "."));
  const file = join(folder, "pipeline.ts");
  if (existsSync(file)) {
    throw new CommandError(
      "usage",
      `${file} is there already, and nothing is overwritten`,
      "Choose another folder: flujo init DIR",
    );
  }
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, pipelineSource, { flag: "wx" });
    writePackage(folder);
    ignoreStore(folder);
  } catch (error) {
    throw new CommandError(
      "usage",
      `the project cannot be written: ${(error as Error).message}`,
      "Choose another folder: flujo init DIR",
    );
  }
  tellNext(folder);
  return exit.completed;
}

async function askFolder(): Promise<string> {
  const { isCancel, text } = await import("@clack/prompts");
  const answer = await text({
    message: "Where shall the project be?",
    defaultValue: ".",
    placeholder: ".",
    output: process.stderr,
  });
  if (isCancel(answer)) throw new CommandError("interrupted", "nothing was written");
  return answer;
}

function writePackage(folder: string): void {
  const file = join(folder, "package.json");
  if (existsSync(file)) return;
  const name =
    basename(folder)
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[._-]+/, "") || "pipeline";
  const content = { name, private: true, type: "module", scripts: { start: "flujo run pipeline.ts" } };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { flag: "wx" });
}

function ignoreStore(folder: string): void {
  const file = join(folder, ".gitignore");
  const known = existsSync(file) ? readFileSync(file, "utf8") : "";
  const lines = [".flujo", "node_modules"].filter(
    (line) => !known.split(/\r?\n/).some((one) => one.replace(/\/$/, "") === line),
  );
  if (lines.length === 0) return;
  appendFileSync(file, `${known === "" || known.endsWith("\n") ? "" : "\n"}${lines.join("\n")}\n`);
}

function tellNext(folder: string): void {
  const here = relative(process.cwd(), folder);
  say(`Wrote ${join(here || ".", "pipeline.ts")}. Next:`);
  if (here !== "") say(`  cd ${here}`);
  say("  npm install flujo");
  say(`  npx flujo run pipeline.ts --input "A first paragraph. It has two sentences."`);
}

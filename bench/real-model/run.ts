/**
 * The bench with a real model: `npm run bench:real-model [-- --only CHECK] [--threads N] [--keep]`.
 *
 * Brings SmolLM2 and llama.cpp (once), serves the model on loopback behind OpenAI's wire formats, and has Flujo work
 * with it. The results go to docs/real-model.md, unless `--keep` leaves it as it is or only some checks ran.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Chapter } from "./chapter.ts";
import { aborts } from "./checks/aborts.ts";
import { bounds } from "./checks/bounds.ts";
import { kills } from "./checks/kills.ts";
import { repairs } from "./checks/repairs.ts";
import { showcase } from "./checks/showcase.ts";
import { streams } from "./checks/streams.ts";
import { tools } from "./checks/tools.ts";
import { Lab } from "./lab.ts";
import { page } from "./page.ts";
import { setup, versions } from "./setup.ts";

/** Bounds come last: they look back at the calls of all others. */
const checks: { readonly [name: string]: (lab: Lab) => Promise<Chapter> } = {
  showcase,
  tools,
  repairs,
  streams,
  aborts,
  kills,
  bounds,
};

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    threads: { type: "string", default: "1" },
    keep: { type: "boolean" },
  },
});
const unknown = values.only?.filter((name) => !(name in checks)) ?? [];
if (unknown.length > 0) {
  console.error(`No check is named ${unknown.join(", ")}: there are ${Object.keys(checks).join(", ")}.`);
  process.exit(2);
}

const weights = setup();
const from = performance.now();
const chapters: Chapter[] = [];
{
  await using lab = await Lab.open(weights, Number(values.threads));
  for (const [name, check] of Object.entries(checks)) {
    if (values.only && !values.only.includes(name)) continue;
    const begun = performance.now();
    const chapter = await check(lab);
    chapters.push(chapter);
    console.log(`\n${page(chapter)}\n\n(${Math.round((performance.now() - begun) / 1_000)} s)`);
  }
}
const broken = chapters.flatMap(({ lines }) => lines.filter(({ kept }) => kept === false));
const kept = chapters.flatMap(({ lines }) => lines.filter((line) => line.kept)).length;
const seconds = Math.round((performance.now() - from) / 1_000);
const verdict = `${kept} promises kept, ${broken.length} broken, in ${seconds} s.`;
console.log(`\n${machine()}\n${verdict}`);
if (broken.length > 0) process.exitCode = 1;
if (!values.only && !values.keep) write([machine(), verdict, ...chapters.map(page)].join("\n\n"));

function machine(): string {
  const flujo = JSON.parse(
    readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8"),
  ).version;
  const { model, runtime } = versions();
  const gib = Math.round(totalmem() / 2 ** 30);
  return [
    `Measured ${new Date().toISOString().slice(0, 10)}: ${model}, ${runtime}, threads: ${values.threads}; flujo ${flujo}, Node ${process.version}`,
    `${cpus().length} x ${cpus()[0]?.model.trim()}, ${gib} GiB, ${platform()} ${release()} ${arch()}.`,
  ].join("; ");
}

/** Puts the results between the marks of the page. */
function write(text: string): void {
  const path = join(import.meta.dirname, "..", "..", "docs", "real-model.md");
  const [before, rest] = readFileSync(path, "utf8").split("<!-- results -->");
  const after = rest?.split("<!-- /results -->")[1];
  if (after === undefined)
    throw new Error("docs/real-model.md has lost its marks <!-- results --> ... <!-- /results -->");
  writeFileSync(path, `${before}<!-- results -->\n\n${text}\n\n<!-- /results -->${after}`);
}

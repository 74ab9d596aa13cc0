import { expect, test } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { pipeline, step } from "../core/compose.ts";
import { fold } from "../core/fold.ts";
import { decimalUsd, picoUsd } from "../core/limits.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { noForks } from "../testing/simulation/forks.ts";
import { simulate } from "../testing/simulation.ts";
import { costsOfRun } from "./costs.ts";
import { operationsCsv } from "./csv.ts";
import { traceHtml } from "./html.ts";
import { trace } from "./trace.ts";
import { wholeRun } from "./whole.ts";

const hostile = '<script>alert(1)</script>"\'&=HYPERLINK("x")\x1b[2J';

async function ran(): Promise<Scene> {
  const on = scene();
  const model = scriptedModel({ replies: [{ text: hostile }] });
  const big = step("big", () => "x".repeat(20_000));
  const made = pipeline("p", agent("say", { model, system: `Say ${hostile}`.replaceAll("{", "") }).to(big));
  await on
    .cast(made, { models: models({ prices: model.prices }), budget: "$1" })
    .run(hostile, { runId: "r" });
  return on;
}
const traced = async (on: Scene) => trace("r", await on.journal("r"), ({ hash }) => on.store.blob(hash));

test("json has the whole run: every entry, and every value, manifest and outline by its hash", async () => {
  const on = await ran();
  const journal = await on.journal("r");
  const { entries, blobs, ...rest } = await wholeRun(on.store, "r", journal);
  expect(rest).toEqual({ format: "flujo-run", version: 1, runId: "r", signals: [] });
  expect(entries).toEqual(journal);
  const { manifest, outline = "" } = fold(journal);
  expect(Object.keys(blobs)).toEqual(expect.arrayContaining([manifest, outline]));
  expect(Object.values(blobs)).toContain(JSON.stringify("x".repeat(20_000)));
});

test("data that looks like something kept aside is none", async () => {
  const on = scene();
  const decoy = { $type: "blob", hash: "h", size: 1 };
  await on
    .cast(
      pipeline(
        "p",
        step("a", () => [decoy]),
      ),
    )
    .run(1, { runId: "r" });
  const { blobs } = await wholeRun(on.store, "r", await on.journal("r"));
  expect(Object.keys(blobs)).not.toContain("h");
});

/** RFC 4180, for the test. */
function rows(csv: string): string[][] {
  const all: string[][] = [[]];
  for (const [, quoted, plain = "", end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n)/g)) {
    all.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") all.push([]);
  }
  return all.slice(0, -1);
}

test("csv has a row for each operation; costs are exact, and no cell begins with what a model wrote", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { journal } = await simulate({ seed, forks: noForks });
    const report = await trace("r", journal, async () => undefined);
    const [head = [], ...body] = rows(operationsCsv(report));
    expect(body).toHaveLength(report.operations.length);
    for (const row of body) expect(row).toHaveLength(head.length);
    const cost = head.indexOf("cost_usd");
    const outermost = body.filter((_, i) => report.operations[i]?.depth === 0);
    const sum = outermost.reduce((total, row) => total + picoUsd(`$${row[cost]}`), 0n);
    expect(decimalUsd(sum)).toBe(report.run.spent.costUsd);
  }
  const report = await traced(await ran());
  const [head = [], ...body] = rows(operationsCsv(report));
  expect(body.flat().filter((cell) => /^[=+@-]/.test(cell))).toEqual([]);
  const input = body[0]?.[head.indexOf("input")] ?? "";
  expect(JSON.parse(input)).toBe(hostile);
});

test("html is one file that fetches and runs nothing, and shows what models wrote as text", async () => {
  const on = await ran();
  const report = await traced(on);
  const html = traceHtml(report, await costsOfRun(on.store, await on.journal("r")));
  expect(html).not.toMatch(/<script|<img|<link|javascript:|https?:\/\/|\bon\w+=/i);
  expect(html).not.toContain("\x1b");
  expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(html).toMatch(
    /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/,
  );
  expect(html).toContain("prefers-color-scheme: dark");
  expect(html.match(/<details/g)).toHaveLength(report.operations.length);
  expect(html.match(/<\/details>/g)).toHaveLength(report.operations.length);
  expect(html).toContain(`$${report.run.spent.costUsd}`);
});

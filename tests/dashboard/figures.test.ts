import { spawn } from "node:child_process";
import { once } from "node:events";
import { sqlite } from "flujo/sqlite";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Entry } from "../../src/core/entries.ts";
import { placeFinder } from "../../src/core/fingerprint.ts";
import { fold } from "../../src/core/fold.ts";
import { decimalUsd } from "../../src/core/limits.ts";
import { isWithin } from "../../src/core/paths.ts";
import type { RunRecord } from "../../src/core/run-record.ts";
import { spentOf } from "../../src/core/spending.ts";
import { readJournal } from "../../src/lens/journal.ts";
import { operationsOf } from "../../src/lens/operations.ts";
import type { Store } from "../../src/ports/store.ts";
import { bin } from "../cli/command.ts";
import { browsing } from "./browsing.ts";
import { type Stage, stage } from "./stage.ts";

/** Every number that may stand on a page, by its name, as the journal's own fold has it. */
async function figuresOf(store: Store, runId: string): Promise<ReadonlyMap<string, string>> {
  const entries = (await readJournal(store, runId)) ?? [];
  const run = fold(entries);
  const manifest = JSON.parse((await store.blob(run.manifest)) ?? "[]");
  const find = placeFinder(manifest);
  const all = [...run.reservations.values()].map(({ path, amount, settled, kind, seq }) => ({
    path,
    place: find(path) ?? path,
    model:
      entries.flatMap((entry) =>
        entry.seq === seq && entry.type === "budget-reserved" ? entry.model : [],
      )[0] ?? "",
    isHeld: settled === undefined,
    ...spentOf(settled ?? amount, kind),
  }));
  const pico = (some: readonly { readonly picoUsd: bigint }[]): bigint =>
    some.reduce((sum, { picoUsd }) => sum + picoUsd, 0n);
  const usd = (some: typeof all): string => decimalUsd(pico(some));
  const sum = (of: "inputTokens" | "outputTokens" | "calls" | "toolCalls", some = all): string =>
    String(some.reduce((total, one) => total + one[of], 0));

  const figures = new Map<string, string>();
  const held = all.filter(({ isHeld }) => isHeld);
  const settled = all.filter(({ isHeld }) => !isHeld);
  figures.set(`runs.cost ${runId}`, usd(all));
  figures.set(`runs.tokens ${runId}`, String(Number(sum("inputTokens")) + Number(sum("outputTokens"))));
  figures.set(`runs.duration ${runId}`, `PT${(run.updatedAt - (entries[0]?.at ?? 0)) / 1_000}S`);
  figures.set("run.settled", usd(settled));
  figures.set("run.held", usd(held));
  for (const of of ["inputTokens", "outputTokens", "calls", "toolCalls"] as const)
    figures.set(`run.${of}`, sum(of));
  figures.set("run.duration", `PT${(run.updatedAt - (entries[0]?.at ?? 0)) / 1_000}S`);
  limitsOf(run, pico(all), figures);

  figures.set("costs.places.sum", usd(all)).set("costs.models.sum", usd(all));
  const called = all.filter(({ calls }) => calls > 0);
  const others = all.filter(({ calls }) => calls === 0);
  for (const [model, some] of Map.groupBy(called, ({ model }) => model)) {
    figures.set(`costs.model ${model}`, usd(some));
    for (const of of ["calls", "inputTokens", "outputTokens"] as const)
      figures.set(`costs.${of} ${model}`, sum(of, some));
  }
  figures.set("costs.model tools and steps", usd(others));
  for (const [place, some] of Map.groupBy(all, ({ place }) => place)) {
    figures.set(`costs.place ${place}`, usd(some));
    figures.set(`graph.cost ${place}`, usd(some));
  }
  const operations = [...operationsOf(entries, run).values()];
  for (const [place] of manifest as [string][]) {
    const own = operations.filter(
      ({ path }) => !path.includes(":") && find(path) === place && path.endsWith("]") === place.endsWith("]"),
    );
    figures.set(`graph.all ${place}`, String(own.length));
    figures.set(
      `graph.completed ${place}`,
      String(own.filter(({ status }) => status === "completed").length),
    );
  }
  for (const { path } of all)
    for (const part of partsOf(path))
      figures.set(`row.cost ${part}`, usd(all.filter((one) => isWithin(one.path, part))));
  rowsOf(entries, run, figures);
  return figures;
}

type Placed = Extract<Entry, { path: string }>;
const isPlaced = (entry: Entry): entry is Placed => "path" in entry;

/** What has begun and what has ended, by the types of entries. */
const ends = new Set<Entry["type"]>([
  ...(["step-completed", "step-failed", "operation-completed", "operation-failed"] as const),
  ...(["container-completed", "signal-received", "branch-chosen", "loop-judged"] as const),
]);
const begins = new Set<Entry["type"]>([
  ...(["step-started", "operation-started", "map-started", "signal-awaited", "budget-reserved"] as const),
  ...ends,
]);

/** How long each row of the timeline lasted, how often it was tried, and what is right below it. */
function rowsOf(entries: readonly Entry[], run: RunRecord, figures: Map<string, string>): void {
  const events = entries.filter(isPlaced).filter(({ type }) => begins.has(type));
  const spans = new Map<string, { readonly began: number; readonly ended: number }>();
  for (const [path, own] of Map.groupBy(events, ({ path }) => path)) {
    const [first, last] = [own[0] as Placed, own.at(-1) as Placed]; // a group has one
    const began = first.at - ("took" in first ? (first.took ?? 0) : 0);
    const ended = own.findLast(({ type }) => ends.has(type))?.at ?? began;
    const isOpen = !ends.has(last.type) && (run.status === "running" || run.status === "waiting");
    spans.set(path, { began, ended: isOpen ? run.updatedAt : ended });
    const tries = own.filter(({ type }) => type === "budget-reserved").length;
    const counted = own.flatMap((entry) => ("attempt" in entry ? (entry.attempt ?? 1) : 1));
    figures.set(`row.attempts ${path}`, String(tries > 0 ? tries : Math.max(...counted)));
  }
  const rows = [...new Set([...spans.keys()].flatMap(partsOf))];
  for (const row of rows) {
    const inside = [...spans].filter(([path]) => isWithin(path, row)).map(([, span]) => span);
    const began = Math.min(...inside.map((span) => span.began));
    const ended = Math.max(...inside.map((span) => span.ended));
    figures.set(`row.duration ${row}`, `PT${(ended - began) / 1_000}S`);
    const below = rows.filter((path) => path !== row && partsOf(path).at(-2) === row);
    figures.set(`row.children ${row}`, String(below.length));
  }
}

function limitsOf(run: RunRecord, spent: bigint, figures: Map<string, string>): void {
  const { picoUsd, calls, toolCalls } = run.limits;
  if (picoUsd !== undefined)
    figures
      .set("run.limit", decimalUsd(BigInt(picoUsd)))
      .set("run.left", decimalUsd(BigInt(picoUsd) - spent));
  if (calls !== undefined) figures.set("run.limit.calls", String(calls));
  if (toolCalls !== undefined) figures.set("run.limit.toolCalls", String(toolCalls));
}

/** `/a`, `/a/b`, `/a/b[k]`, … of a path, itself the last. */
const partsOf = (path: string): string[] =>
  [...path.matchAll(/[/[:@]/g)]
    .flatMap(({ index }) => (index === 0 ? [] : path.slice(0, index)))
    .concat(path);

browsing("every number on screen is what the journal's own fold says", () => {
  const runIds = ["report", "cheap", "weather", "failing", "paid"];
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let here: Stage;
  let store: Store;
  beforeAll(async () => {
    here = await stage({
      reply: ({ text, body }) =>
        text.includes("Look the figures up") && !JSON.stringify(body).includes("revenue")
          ? { toolCalls: [{ name: "figures", input: { company: "Apple" } }] }
          : "Revenue grew by 4 %.",
      cachedPercent: 30,
      beforeEvent: (event, { text }) => (event === 3 && text.includes("Slowly") ? opened : undefined),
    });
    store = sqlite(here.store.replace("sqlite:", ""));
    await here.start("quarterly", ["Apple", "Amazon", "NVIDIA"], "report", {
      budget: "$0.50",
      scopes: ["tenant:acme"],
    });
    await here.start("quarterly", ["Apple", "Amazon"], "cheap", { budget: "$0.0009" });
    await here.start("ask", "How was the weather?", "weather");
    await here.start("failing", null, "failing");
    await here.start("paid", 7, "paid");
    for (const runId of runIds) await here.stands(runId);
  });
  afterAll(async () => {
    await store.close();
    await here.close();
  });

  /** The numbers of a page that have a name; all that are shown as numbers have to. */
  const shown = async (page: Page): Promise<[string, string][]> => {
    expect(await page.locator("data:not([data-figure])").count()).toBe(0);
    return page
      .locator("[data-figure]")
      .evaluateAll((all) =>
        all.map((one) => [
          one.getAttribute("data-figure") ?? "",
          one.getAttribute("value") ?? one.getAttribute("datetime") ?? "",
        ]),
      );
  };

  test.each(runIds)("of run %s", async (runId) => {
    const figures = await figuresOf(store, runId);
    const page = await here.browser.newPage({ viewport: { width: 1400, height: 2_400 } });
    onTestFinished(() => page.close());
    const seen: [string, string][] = [];
    for (const [tab, waitFor] of [
      ["timeline", "[data-path]"],
      ["graph", "[data-place]"],
      ["costs", ".sum, .tab-panel > p"],
    ] as const) {
      await page.goto(`${here.url}/runs/${runId}?tab=${tab}`);
      await page.locator(waitFor).first().waitFor();
      await page.waitForLoadState("networkidle");
      seen.push(...(await shown(page)));
    }
    expect(seen.length).toBeGreaterThan(12);
    expect(
      seen
        .filter(([name, value]) => figures.get(name) !== value)
        .map(([name, value]) => [name, value, figures.get(name)]),
    ).toEqual([]);
  });

  test("in the list of runs", async () => {
    const figures = new Map(
      (await Promise.all(runIds.map((runId) => figuresOf(store, runId)))).flatMap((one) => [...one]),
    );
    const page = await here.browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(`${here.url}/runs`);
    await page.locator("[data-run]").first().waitFor();
    const costs = (await shown(page)).filter(([name]) => name.startsWith("runs."));
    expect(costs).toHaveLength(runIds.length * 3);
    for (const [name, value] of costs) expect([name, value]).toEqual([name, figures.get(name)]);
  });

  test("of one operation, of two runs compared, and of a shared budget", async () => {
    const exact = new Map<string, string>();
    const both = [];
    for (const runId of ["report", "cheap"]) {
      const entries = (await readJournal(store, runId)) ?? [];
      const all = [...fold(entries).reservations.values()].map(({ seq, path, amount, settled, kind }) => ({
        ...{ seq, path, amount },
        spent: spentOf(settled ?? amount, kind),
      }));
      const sum = (of: "calls" | "inputTokens" | "outputTokens", some = all): string =>
        String(some.reduce((total, { spent }) => total + spent[of], 0));
      const usd = (some: typeof all): string =>
        decimalUsd(some.reduce((total, { spent }) => total + spent.picoUsd, 0n));
      exact.set(`compare.cost ${runId}`, usd(all));
      const [first, last] = [entries[0]?.at ?? 0, entries.at(-1)?.at ?? 0];
      exact.set(`compare.duration ${runId}`, `PT${(last - first) / 1_000}S`);
      for (const of of ["calls", "inputTokens", "outputTokens"] as const)
        exact.set(`compare.${of} ${runId}`, sum(of));
      both.push({ entries, all, sum, usd });
    }
    const [report, cheap] = both;
    if (report === undefined || cheap === undefined) throw new Error("two runs were read");
    for (const { path } of [...report.entries, ...cheap.entries].filter((entry) => "path" in entry))
      for (const part of partsOf(path)) {
        exact.set(`compare.a ${part}`, report.usd(report.all.filter((one) => isWithin(one.path, part))));
        exact.set(`compare.b ${part}`, cheap.usd(cheap.all.filter((one) => isWithin(one.path, part))));
      }
    exact.set("budget tenant:acme.settled", report.usd(report.all));
    exact.set("budget.calls tenant:acme", report.sum("calls"));
    const tokens = Number(report.sum("inputTokens")) + Number(report.sum("outputTokens"));
    exact.set("budget.tokens tenant:acme", String(tokens));
    const at = "/quarterly/companies[0]/summarise:call#1";
    const own = report.all.filter(({ path }) => path === at);
    exact.set("operation.cost", report.usd(own)).set("operation.attempts", String(own.length));
    for (const of of ["inputTokens", "outputTokens"] as const)
      exact.set(`operation.${of}`, report.sum(of, own));
    for (const { seq, spent, amount } of own)
      exact
        .set(`call.spent ${seq}`, decimalUsd(spent.picoUsd))
        .set(`call.reserved ${seq}`, decimalUsd(BigInt(amount.picoUsd)))
        .set(`call.duration ${seq}`, tookOf(report.entries, seq));
    const done = report.entries.find((one) => one.type === "operation-completed" && one.path === at);
    if (done?.type === "operation-completed")
      exact.set("operation.duration", `PT${(done.took ?? 0) / 1_000}S`);

    const page = await here.browser.newPage({ viewport: { width: 1400, height: 2_400 } });
    onTestFinished(() => page.close());
    for (const [path, some, least] of [
      [`/runs/report?at=${encodeURIComponent(at)}`, /^(operation|call)\./, 6],
      ["/compare?a=report&b=cheap", /^compare\.(?!differ|same)/, 14],
      ["/budgets", /^budget/, 3],
    ] as const) {
      await page.goto(here.url + path);
      await page.locator("[data-figure]").first().waitFor();
      await page.waitForLoadState("networkidle");
      const seen = (await shown(page)).filter(([name]) => some.test(name));
      expect([path, seen.length >= least]).toEqual([path, true]);
      expect(
        seen
          .filter(([name, value]) => exact.get(name) !== value)
          .map(([name, value]) => [name, value, exact.get(name)]),
      ).toEqual([]);
    }
  });

  test("of what differs between two runs: as many as are shown, and all others are the same", async () => {
    const paths = new Set<string>();
    for (const runId of ["report", "cheap"]) {
      const entries = (await readJournal(store, runId)) ?? [];
      for (const { path } of entries.filter(isPlaced).filter(({ type }) => begins.has(type))) paths.add(path);
    }
    const page = await here.browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(`${here.url}/compare?a=report&b=cheap`);
    await page.locator("[data-differs]").first().waitFor();
    const seen = new Map(await shown(page));
    const differ = await page.locator("[data-differs]").count();
    expect(seen.get("compare.differ")).toBe(String(differ));
    expect(seen.get("compare.same")).toBe(String(paths.size - differ));
  });

  test("of attempts that failed", async () => {
    const failed = ((await readJournal(store, "failing")) ?? []).flatMap((entry) =>
      entry.type === "step-failed"
        ? [[`failure.duration ${entry.attempt}`, `PT${(entry.took ?? 0) / 1_000}S`]]
        : [],
    );
    const page = await here.browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(`${here.url}/runs/failing?at=${encodeURIComponent("/failing/parse")}`);
    await page.getByText("attempt 2").first().waitFor();
    const seen = (await shown(page)).filter(([name]) => name.startsWith("failure."));
    expect(failed).toHaveLength(2);
    expect(seen).toEqual(failed);
  });

  test("on the pages of stats and of versions", async () => {
    const { exact, times } = await sumsOf(store, runIds);
    const page = await here.browser.newPage({ viewport: { width: 1400, height: 2_400 } });
    onTestFinished(() => page.close());
    const { versions } = await here.get<{ versions: { fingerprint: string }[] }>("/versions");
    const [a, b] = versions.map(({ fingerprint }) => fingerprint);
    const seen: [string, string][] = [];
    for (const path of ["/stats?span=all", `/versions?of=${a}&of=${b}`]) {
      await page.goto(here.url + path);
      await page.locator("tbody tr").filter({ visible: true }).first().waitFor();
      await page.waitForLoadState("networkidle");
      seen.push(...(await shown(page)));
    }
    const [spans, sums] = [
      seen.filter(([name]) => /\.p\d\d /.test(name)),
      seen.filter(([name]) => !/\.p\d\d /.test(name)),
    ];
    expect(sums.length).toBeGreaterThan(50);
    expect(
      sums
        .filter(([name, value]) => exact.get(name) !== value)
        .map(([name, value]) => [name, value, exact.get(name)]),
    ).toEqual([]);
    expect(spans.length).toBeGreaterThan(20);
    for (const [name, value] of spans) {
      const [, what, part, of] = /^(\w+)\.p(\d\d) (?:[0-9a-f]{16} )?(.*)$/.exec(name) ?? [];
      const all = [...(times.get(of ?? "") ?? [])].sort((x, y) => x - y);
      const truth = all[Math.ceil((all.length * Number(part)) / 100) - 1] ?? -1;
      const ms = Number(/^PT(.*)S$/.exec(value)?.[1]) * 1_000;
      expect(
        [name, what, ms >= truth - 0.001 && ms <= truth * 1.008 + 0.001],
        `${ms}, truly ${truth}`,
      ).toEqual([name, what, true]);
    }
  });

  test("of what a shared budget holds, and of who waits for it", async () => {
    const args = ["budget", "set", "tenant:tight", "--cost", "$0.0005", "--store", here.store];
    await once(spawn(process.execPath, [bin, ...args], { stdio: "ignore" }), "exit");
    for (const runId of ["slow-1", "slow-2", "slow-3"])
      await here.start("ask", "Slowly, please.", runId, { scopes: ["tenant:tight"] });
    const page = await here.browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(`${here.url}/budgets`);
    await page.locator('[data-figure="budget.waiting tenant:tight"][value="2"]').waitFor();
    const seen = new Map((await shown(page)).filter(([name]) => /^hold|tenant:tight/.test(name)));
    const holds = await heldOf(store, ["slow-1", "slow-2", "slow-3"]);
    expect(holds).toHaveLength(1);
    for (const [name, picoUsd] of holds) expect([name, seen.get(name)]).toEqual([name, decimalUsd(picoUsd)]);
    expect(seen.get("budget tenant:tight.held")).toBe(decimalUsd(holds[0]?.[1] ?? 0n));
    expect(seen.get("budget tenant:tight.limit")).toBe("0.0005");
    open();
    for (const runId of ["slow-1", "slow-2", "slow-3"])
      expect((await here.stands(runId)).run.status).toBe("completed");
    await page.reload();
    await page.locator('[data-figure="budget.calls tenant:tight"][value="3"]').waitFor();
    expect(
      await page.locator('[data-figure="budget.waiting tenant:tight"], [data-figure^="hold"]').count(),
    ).toBe(0);
  });
});

/** What is held for calls under way, by the journals of their runs. */
async function heldOf(store: Store, runIds: readonly string[]): Promise<[name: string, picoUsd: bigint][]> {
  const held: [string, bigint][] = [];
  for (const runId of runIds)
    for (const { path, amount, settled } of fold(
      (await readJournal(store, runId)) ?? [],
    ).reservations.values())
      if (settled === undefined) held.push([`hold ${runId} ${path}`, BigInt(amount.picoUsd)]);
  return held;
}

function tookOf(entries: readonly Entry[], seq: number): string {
  const settled = entries.find((entry) => entry.type === "budget-settled" && entry.of === seq);
  return `PT${((settled?.at ?? 0) - (entries[seq]?.at ?? 0)) / 1_000}S`;
}

/** What the pages of many runs show, from their journals alone: sums by name, and the times that percentiles are of. */
async function sumsOf(store: Store, runIds: readonly string[]) {
  const counts = new Map<string, number>();
  const costs = new Map<string, bigint>();
  const times = new Map<string, number[]>();
  const count = (name: string, n = 1): void => void counts.set(name, (counts.get(name) ?? 0) + n);
  const pay = (name: string, pico: bigint): void => void costs.set(name, (costs.get(name) ?? 0n) + pico);
  const time = (name: string, ms: number): void => void times.set(name, [...(times.get(name) ?? []), ms]);
  const completed = new Map<string, number>();
  const ended = new Map<string, number>();
  for (const runId of runIds) {
    const entries = (await readJournal(store, runId)) ?? [];
    const run = fold(entries);
    const pipeline = run.created?.pipeline ?? "";
    const version = run.fingerprint;
    const find = placeFinder(JSON.parse((await store.blob(run.manifest)) ?? "[]"));
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const day = new Intl.DateTimeFormat("en-CA", { timeZone }).format(entries[0]?.at);
    for (const name of ["stats.runs", `stats.runs ${pipeline}`, `stats.day.runs ${day}`]) count(name);
    count(`versions.runs ${version}`);
    count(`versions.unfinished ${version}`, ["running", "waiting"].includes(run.status) ? 1 : 0);
    count(`stats.day.completed ${day}`, run.status === "completed" ? 1 : 0);
    if (run.status === "completed") {
      completed.set(pipeline, (completed.get(pipeline) ?? 0) + 1);
      time(pipeline, run.updatedAt - (entries[0]?.at ?? 0));
    }
    if (run.status !== "waiting" && run.status !== "running")
      ended.set(pipeline, (ended.get(pipeline) ?? 0) + 1);
    for (const name of [`stats.cost ${pipeline}`, `stats.day.cost ${day}`]) pay(name, 0n);
    for (const entry of entries) {
      if (!("path" in entry)) continue;
      const step = find(entry.path) ?? "";
      const done = entry.type === "step-completed" || entry.type === "container-completed";
      const failed = entry.type === "step-failed";
      if (!done && !failed && entry.type !== "budget-reserved") continue;
      for (const page of ["stats.step", "versions"]) {
        const name = page === "versions" ? `${version} ${step}` : step;
        count(`${page}.completed ${name}`, done ? 1 : 0);
        count(`${page}.failed ${name}`, failed ? 1 : 0);
        pay(`${page}.cost ${name}`, 0n);
      }
      if (done) time(step, entry.took ?? 0);
    }
    for (const { path, amount, settled, kind, seq } of run.reservations.values()) {
      const { picoUsd, inputTokens, outputTokens } = spentOf(settled ?? amount, kind);
      const step = find(path) ?? "";
      const [model = ""] = entries.flatMap((one) =>
        one.seq === seq && one.type === "budget-reserved" ? one.model : [],
      );
      for (const name of [`stats.cost ${pipeline}`, `stats.day.cost ${day}`, `stats.step.cost ${step}`])
        pay(name, picoUsd);
      pay(`versions.cost ${version} ${step}`, picoUsd);
      if (kind !== "model-call") continue;
      pay(`stats.model.cost ${model}`, picoUsd);
      count(`stats.model.calls ${model}`);
      count(`stats.model.tokens ${model}`, inputTokens + outputTokens);
      const end = entries.find((one) => one.type === "budget-settled" && one.of === seq);
      const begin = entries.find((one) => one.seq === seq);
      if (end !== undefined && begin !== undefined) time(model, end.at - begin.at);
    }
  }
  const exact = new Map([...counts].map(([name, n]) => [name, String(n)] as const));
  for (const [name, pico] of costs) exact.set(name, decimalUsd(pico));
  for (const [pipeline, n] of ended)
    exact.set(`stats.share ${pipeline}`, String((completed.get(pipeline) ?? 0) / n));
  return { exact, times };
}

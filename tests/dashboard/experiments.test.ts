import { compare, readExperiment, summaryOf } from "flujo/evals";
import { sqlite } from "flujo/sqlite";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { decimalUsd } from "../../src/core/limits.ts";
import type { Store } from "../../src/ports/store.ts";
import { tryWords } from "../server/experiments.ts";
import { browsing } from "./browsing.ts";
import { fillExperiment } from "./many-cases.ts";
import { type Stage, stage } from "./stage.ts";

const many = 10_000;

browsing("experiments in the dashboard", () => {
  let here: Stage;
  let store: Store;
  beforeAll(async () => {
    here = await stage();
    store = sqlite(here.store.replace("sqlite:", ""));
    await tryWords(store, "before", { trials: 2 });
    await tryWords(store, "after", { wrong: ["ant"], trials: 2 });
    await fillExperiment(store, "large", many, 0.9);
    await fillExperiment(store, "larger", many, 0.8);
  });
  afterAll(async () => {
    await store.close();
    await here.close();
  });

  const open = async (path: string): Promise<Page> => {
    const page = await here.browser.newPage({ viewport: { width: 1440, height: 1_000 } });
    onTestFinished(() => page.close());
    await page.goto(here.url + path);
    return page;
  };
  const shown = async (page: Page): Promise<ReadonlyMap<string, string>> => {
    expect(await page.locator("data:not([data-figure])").count()).toBe(0);
    const all = await page
      .locator("[data-figure]")
      .evaluateAll((some) =>
        some.map((one) => [
          one.getAttribute("data-figure") ?? "",
          one.getAttribute("value") ?? one.getAttribute("datetime") ?? "",
        ]),
      );
    return new Map(all as [string, string][]);
  };
  const recordsOf = async (name: string) => (await readExperiment(store, name))?.records ?? [];

  test("the list of runs leaves their trials out, and says so, until they are asked for", async () => {
    const page = await open("/runs");
    await page.locator('[data-run="before"]').waitFor();
    expect(await page.locator('[data-run*="."]').count()).toBe(0);
    const chip = page.getByRole("button", { name: "without trials" });
    expect(await chip.getAttribute("aria-pressed")).toBe("true");
    await chip.click();
    await page.locator('[data-run="after.boom.2"]').waitFor();
    await page.goto(page.url());
    await page.locator('[data-run="after.boom.2"]').waitFor();
  });

  test("the list shows each with its score and interval, as summaryOf has them, and opens one", async () => {
    const page = await open("/experiments");
    await page.locator('[data-experiment="before"]').waitFor();
    const figures = await shown(page);
    for (const name of ["before", "after", "large"]) {
      const records = await recordsOf(name);
      const { score, failed, trials } = summaryOf(records);
      expect({
        mean: figures.get(`experiments.score ${name}.mean`),
        low: figures.get(`experiments.score ${name}.low`),
        high: figures.get(`experiments.score ${name}.high`),
        failed: figures.get(`experiments.failed ${name}`),
        tried: figures.get(`experiments.tried ${name}`),
        cost: figures.get(`experiments.cost ${name}`),
      }).toEqual({
        ...{ mean: `${score.mean}`, low: `${score.low}`, high: `${score.high}` },
        ...{ failed: `${failed}`, tried: `${trials}` },
        cost: decimalUsd(records.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), 0n)),
      });
    }
    expect(await page.locator(".history-one").count()).toBe(2); // those that are like the newest
    await page.locator('[data-experiment="after"]').getByText("letters").click();
    await page.locator('[data-experiment="large"]').waitFor({ state: "detached" });
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/experiments/after");
  });

  test("one shows its slices, failures and cases, the worst first, with what was said, and the trials' runs", async () => {
    const page = await open("/experiments/after");
    await page.locator('[data-case="ant"]').waitFor();
    const figures = await shown(page);
    const { score, slices, failed, failures, latency } = summaryOf(await recordsOf("after"));
    for (const [name, value] of [
      ["experiment.score.mean", score.mean],
      ["experiment.score.low", score.low],
      ["experiment.score.high", score.high],
      ["experiment.clusters", 3],
      ["experiment.failed", failed],
      ["experiment.slice t.mean", slices.t?.mean],
      ["experiment.slice t.low", slices.t?.low],
      ["experiment.slice u.high", slices.u?.high],
      ["experiment.slice u.cases", 3],
      [`experiment.failures ${failures[0]?.what}`, failures[0]?.trials],
      ["experiment.p95", `PT${(latency?.p95 ?? 0) / 1_000}S`],
      ["case.score ant", 0],
    ] as const)
      expect([name, figures.get(name)]).toEqual([name, String(value)]);
    await page.getByRole("button", { name: "ant", exact: true }).click();
    const detail = page.getByRole("complementary", { name: "Case" });
    await detail.getByLabel("Output, trial 1").getByText("?").waitFor();
    await detail.getByText("ANT").first().waitFor();
    await page.keyboard.press("j");
    await detail.getByText("no boom").first().waitFor();
    await detail.getByRole("link", { name: "after.boom.2" }).click();
    await page.waitForURL("**/runs/after.boom.2");
    await page.goto(`${here.url}/runs/after`);
    await page.getByRole("link", { name: "its scores" }).click();
    await page.waitForURL("**/experiments/after");
  });

  test("two are compared: the difference as compare has it, and what has changed side by side", async () => {
    const page = await open("/experiments/after");
    await page.getByLabel("Compare with").selectOption("before");
    await page.waitForURL("**/experiments/after/with/before");
    await page.locator('[data-case="ant"]').waitFor();
    expect(await page.locator("[data-case]").count()).toBe(1);
    const figures = await shown(page);
    const { difference, slices } = compare(await recordsOf("before"), await recordsOf("after"));
    for (const [name, value] of [
      ["compare.difference all.mean", difference.mean],
      ["compare.difference all.low", difference.low],
      ["compare.difference all.high", difference.high],
      ["compare.p all", difference.p],
      ["compare.difference t.low", slices.t?.low],
      ["compare.p t", slices.t?.holm],
      ["compare.worse", 1],
      ["compare.better", 0],
      ["pair.before ant", 1],
      ["pair.after ant", 0],
    ] as const)
      expect([name, figures.get(name)]).toEqual([name, String(value)]);
    await page.getByRole("button", { name: "ant", exact: true }).click();
    await page.getByLabel("Output before, trial 1").getByText("ANT").waitFor();
    await page.getByLabel("Output after, trial 1").getByText("?").waitFor();
    await page.getByRole("button", { name: "all", exact: true }).click();
    await page.locator('[data-case="emu"]').waitFor();
  });

  test(`of ${many} cases those on screen are there, in any place of the list`, async () => {
    const page = await open("/experiments/larger/with/large?cases=all");
    await page.locator("[data-case]").first().waitFor();
    const body = page.locator(".case-list .table-body");
    for (const part of [0.5, 1]) {
      await body.evaluate((element, to) => element.scrollTo(0, element.scrollHeight * to), part);
      await page.locator(`[aria-rowindex="${Math.floor(part * (many - 1)) + 2}"][data-case]`).waitFor();
      expect(await page.locator("[data-case]").count()).toBeLessThan(80);
    }
    await page.getByText("The cases do not tell").or(page.getByText("It is worse")).first().waitFor();
  });

  test("one that is under way goes on before one's eyes", async () => {
    await fillExperiment(store, "running", 20, 0.5, { tried: 5 });
    const page = await open("/experiments/running");
    const tried = page.locator('[data-figure="experiment.tried"]');
    await tried.waitFor();
    expect(await tried.getAttribute("value")).toBe("5");
    await fillExperiment(store, "running", 20, 0.5, { tried: 20 });
    await expect.poll(() => tried.getAttribute("value"), { timeout: 20_000 }).toBe("20");
  });
});

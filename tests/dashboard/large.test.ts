import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { browsing } from "./browsing.ts";
import { fill, runs } from "./many-runs.ts";
import { type Stage, stage } from "./stage.ts";

const items = 50_000;
/** Rows that exist at most: those on screen, and some beyond its edges. */
const mostRows = 80;

browsing("the dashboard, with much to show", () => {
  let here: Stage;
  beforeAll(async () => {
    here = await stage();
    await here.start("wide", items, "wide");
    await fill(here.store);
    expect((await here.stands("wide")).run.status).toBe("completed");
  }, 180_000);
  afterAll(() => here.close());

  /** A page, and how much it has asked the API for. */
  const look = async () => {
    const page = await here.browser.newPage();
    onTestFinished(() => page.close());
    const answers: Promise<number>[] = [];
    page.on("response", (response) => {
      if (/\/api\/v1\/runs(\?|\/wide\/tree)/.test(response.url()))
        answers.push(
          response.body().then(
            ({ length }) => length,
            () => 0,
          ),
        );
    });
    return { page, answers };
  };
  const scroll = (page: Page, box: string, part: number): Promise<void> =>
    page.locator(box).evaluate((element, to) => element.scrollTo(0, element.scrollHeight * to), part);

  test(`of ${runs} runs there are a hundred at first, more as they are scrolled to, and few rows at any time`, async () => {
    const { page, answers } = await look();
    await page.goto(`${here.url}/runs`);
    await page.locator('[data-run="wide"]').waitFor();
    expect(answers).toHaveLength(1);
    for (let pages = 2; pages <= 6; pages++) {
      await scroll(page, ".table-body", 1);
      await page.getByText(`${pages * 100} runs so far`).waitFor();
      expect(await page.locator("[data-run]").count()).toBeLessThan(mostRows);
    }
    await page.getByRole("searchbox").fill("old-77777");
    await page.getByText("1 run", { exact: true }).waitFor();
    expect(await page.locator("[data-run]").count()).toBe(1);
    for (const size of await Promise.all(answers)) expect(size).toBeLessThan(60_000);
  });

  test(`a run of ${items} items opens with its top, and any item is a page away`, async () => {
    const { page, answers } = await look();
    await page.goto(`${here.url}/runs/wide`);
    const all = page.locator('[data-path="/wide/items"]');
    await all.getByText("50,000").waitFor();
    await all.click();
    await page.keyboard.press("ArrowRight");
    await page.locator('[data-path="/wide/items[0]"]').waitFor();
    await scroll(page, ".waterfall-body", 0.5);
    await page.locator('[data-path^="/wide/items[25"], [data-path^="/wide/items[24"]').first().waitFor();
    await scroll(page, ".waterfall-body", 1);
    await page.locator('[data-path="/wide/items[49999]"]').waitFor();
    expect(await page.locator('[role="row"][data-path]').count()).toBeLessThan(mostRows);

    await page.goto(`${here.url}/runs/wide?at=${encodeURIComponent("/wide/items[31234]/twice")}`);
    await page.getByLabel("Output of the operation").getByText("62468").waitFor();
    expect(answers.length).toBeLessThan(20);
    for (const size of await Promise.all(answers)) expect(size).toBeLessThan(300_000);
  });

  test("figures are of the newest runs, say so, and keep nobody else waiting", async () => {
    const { page } = await look();
    await page.goto(`${here.url}/stats?span=all`);
    const chips = page.getByRole("button", { name: "7 days" });
    await chips.waitFor();
    await page.getByText("the newest 5000").waitFor();
    expect(await page.locator('[data-figure="stats.runs"]').getAttribute("value")).toBe("5000");
    const reading = here.get<{ readonly runs: number }>("/stats?newest=10000");
    await here.get("/runs?limit=1"); // answered in between
    expect((await reading).runs).toBe(10_000);
  });
});

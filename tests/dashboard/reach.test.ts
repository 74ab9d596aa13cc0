import { readFileSync } from "node:fs";
import type { AxeResults } from "axe-core";
import { sqlite } from "flujo/sqlite";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { addSchedule } from "../../src/schedules/plan.ts";
import { newSchedule } from "../../src/schedules/schedule.ts";
import { tryWords } from "../server/experiments.ts";
import { browsing } from "./browsing.ts";
import { type Stage, stage } from "./stage.ts";

const axe = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const hostile = `<img src=x onerror="document.title='owned'">`;

/** Every page and every view of one, each with what is done to see it. */
const views: readonly (readonly [path: string, shows: string, act?: (page: Page) => Promise<void>])[] = [
  ["/runs", "report"],
  ["/runs?status=cancelled", "No run is like that"],
  ["/runs", "next and previous row", (page) => page.keyboard.press("?")],
  ["/runs/report", "companies"],
  ["/runs/report", "Publish the report?", (page) => page.locator("[data-asks]").click()],
  ["/runs/report?at=%2Fquarterly%2Fcompanies%5B0%5D%2Fsummarise%3Acall%230", "model-call"],
  [
    "/runs/report?at=%2Fquarterly%2Fcompanies%5B0%5D%2Fsummarise",
    "Start the fork",
    (page) => page.getByRole("button", { name: "Fork here" }).click(),
  ],
  ["/runs/report?tab=graph", "fetch filing"],
  ["/runs/report?tab=costs", "By what was bought"],
  ["/runs/report?tab=state", "/findings/"],
  ["/runs/report?tab=values", "Input"],
  ["/runs/report", "Raise it by", (page) => page.getByRole("button", { name: "Top up" }).click()],
  ["/runs/report", "for good?", (page) => page.getByRole("button", { name: "Cancel" }).click()],
  ["/runs/failing", "line 3 is no number"],
  ["/runs/failing?at=%2Ffailing%2Fparse", "Failed attempts"],
  ["/runs/none", "none"],
  ["/inbox", "Pay $120"],
  ["/compare", "Two runs are compared"],
  ["/compare?a=report&b=payout", "Input of the run"],
  ["/pipelines", "quarterly"],
  ["/pipelines/quarterly", "fetch filing"],
  ["/pipelines/quarterly", "Run id", (page) => page.getByRole("button", { name: "Start a run" }).click()],
  ["/experiments", "after"],
  ["/experiments?dataset=none", "No experiments yet"],
  ["/experiments/after", "Failures that are alike"],
  ["/experiments/after", "Expected", (page) => page.locator("[data-case] button").first().click()],
  ["/experiments/none", "none"],
  ["/experiments/after/with/before", "Difference, after less before"],
  [
    "/experiments/after/with/before?cases=all",
    "Before: before",
    (page) => page.locator("[data-case] button").first().click(),
  ],
  ["/stats?span=all", "By model"],
  ["/stats?pipeline=none", "No runs in that time"],
  ["/versions", "Choose two to compare them"],
  [
    "/versions",
    "How their runs fared",
    async (page) => {
      for (const i of [0, 1]) await page.getByRole("checkbox").nth(i).check();
    },
  ],
  ["/schedules", "nightly"],
  ["/schedules", "Cron expression", (page) => page.getByRole("button", { name: "Add a schedule" }).click()],
  ["/schedules", "Leave it", (page) => page.getByRole("button", { name: "Remove" }).click()],
  ["/budgets", "tenant:acme"],
  ["/outbox", "Everything is delivered"],
  ["/nowhere", "There is no such page"],
];

browsing("the dashboard is for everybody", () => {
  let here: Stage;
  beforeAll(async () => {
    here = await stage({ reply: () => `${hostile} grew by 4 %.` });
    await here.start("quarterly", ["Apple", "Amazon"], "report", {
      budget: "$0.50",
      scopes: ["tenant:acme"],
    });
    await here.start("failing", null, "failing");
    await here.start("payout", "order 17", "payout");
    await here.start("script", [hostile, "<script>document.title='owned'</script>"], "script");
    const store = sqlite(here.store.replace("sqlite:", ""));
    const nightly = { name: "nightly", pipeline: "hello", input: "Ada" };
    await addSchedule(store, newSchedule(nightly, { cron: "0 3 * * *" }, Date.now()));
    const words = { words: ["ant", "boom", hostile], dataset: hostile };
    await tryWords(store, "before", words);
    await tryWords(store, "after", { ...words, wrong: ["ant", hostile] });
    await store.close();
    for (const runId of ["report", "failing", "payout", "script"]) await here.stands(runId);
  });
  afterAll(() => here.close());

  /** A page, and what it complains of: errors of its scripts, and of its content security policy. */
  const look = async (theme: "light" | "dark" = "light") => {
    const page = await here.browser.newPage({ colorScheme: theme });
    onTestFinished(() => page.close());
    const complaints: string[] = [];
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("console", (message) => {
      const isMissing = message.text().includes("404"); // a browser tells of any answer that says so
      if (message.type() === "error" && !isMissing) complaints.push(message.text());
    });
    const go = (path: string) => page.goto(here.url + path);
    return { page, complaints, go };
  };

  test("axe finds nothing on any page, in the light theme or in the dark", async () => {
    const { page, complaints, go } = await look();
    for (const [path, shows, act] of views) {
      await go(path);
      await page.locator("h1, h2").first().waitFor();
      await act?.(page);
      await page.getByText(shows).first().waitFor();
      await page.evaluate(axe);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        // To describe what is well as fully as what is not takes most of its time.
        const { violations } = await page.evaluate<AxeResults>("axe.run({ resultTypes: ['violations'] })");
        const found = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`);
        expect([path, colorScheme, found, complaints]).toEqual([path, colorScheme, [], []]);
      }
    }
  });

  test("a schedule is paused, and goes on", async () => {
    const { page, go } = await look();
    await go("/schedules");
    const card = page.locator('[data-schedule="nightly"]');
    await card.getByText(/^Next in/).waitFor();
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("paused").waitFor();
    await card.getByRole("button", { name: "Go on" }).click();
    await card.getByText(/^Next in/).waitFor();
  });

  test("everything is reached with keys", async () => {
    const { page, go } = await look();
    await go("/runs");
    await page.locator('[data-run="report"]').waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("rep");
    await page.locator('[data-run="payout"]').waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/runs/report");
    await page.locator('[data-path="/quarterly/companies"]').waitFor();

    const chosen = () => page.locator('[role="row"][aria-selected="true"]').getAttribute("data-path");
    await page.keyboard.press("j");
    await page.keyboard.press("ArrowDown");
    expect(await chosen()).toBe("/quarterly/companies");
    await page.getByRole("complementary", { name: "Operation" }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.locator('[data-path="/quarterly/companies[0]"]').waitFor({ state: "detached" });
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect.poll(chosen).toBe("/quarterly/companies[0]");
    await page.keyboard.press("Escape");
    await page.getByRole("complementary", { name: "Operation" }).waitFor({ state: "detached" });

    await page.keyboard.press("2");
    await page.waitForURL("**/inbox");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("1"); // keys of the page mean nothing under a dialog
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect(page.url()).toContain("/inbox");
  });

  test("the theme is the system's until the reader chooses another, which is kept", async () => {
    const { page, go } = await look("dark");
    await go("/runs");
    const ground = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const dark = await ground();
    await page.keyboard.press("t");
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.reload();
    await page.locator('[data-run="report"]').waitFor();
    expect(await ground()).toBe(light);
  });

  test("script in names, inputs, prompts and what a model said is text", async () => {
    const each = "/runs/script?at=%2Fscript%2Feach";
    const call = "/runs/report?at=%2Fquarterly%2Fchecks%5Btone%5D%2Fjudge%20tone%3Acall%230";
    const paths = ["/runs/script", each, "/runs/script?tab=graph", "/runs/script?tab=values", "/inbox", call];
    paths.push("/experiments", "/experiments/after", "/experiments/after/with/before");
    const { page, complaints, go } = await look();
    for (const path of paths) {
      await go(path);
      await page.getByText("<img src=x").filter({ visible: true }).first().waitFor();
      expect(await page.title()).not.toBe("owned");
      expect(await page.locator("img[src=x], body script").count()).toBe(0);
      expect([path, complaints]).toEqual([path, []]);
    }
  });

  test("no page runs, or trips over, what is in names, texts, ids and addresses", async () => {
    await here.start("script", ["<b>other</b>"], "script-2");
    await here.stands("script-2");
    const { versions } = await here.get<{ versions: { fingerprint: string }[] }>("/versions");
    const of = versions.map(({ fingerprint }) => `of=${fingerprint}`).slice(0, 2);
    const name = encodeURIComponent(hostile);
    const step = encodeURIComponent(`/script/each[${hostile}]`);
    const paths = [
      ...[
        "/runs",
        `/runs?q=${name}&pipeline=${name}&status=${name}`,
        `/runs/${name}`,
        `/runs/script?at=${name}`,
      ],
      ...[
        `/runs/script?at=${step}&tab=${name}`,
        "/runs/script?tab=costs",
        "/inbox",
        "/compare?a=script&b=script-2",
      ],
      ...[
        `/compare?a=${name}&b=${name}`,
        "/pipelines",
        "/pipelines/script",
        `/pipelines/${name}`,
        "/stats?span=all",
      ],
      ...[
        `/stats?pipeline=${name}&span=${name}`,
        "/stats?pipeline=script",
        "/versions",
        `/versions?${of.join("&")}`,
      ],
      ...["/experiments", `/experiments?dataset=${name}&pipeline=${name}`, `/experiments/${name}`],
      ...["/experiments/after", `/experiments/after?tag=${name}`, `/experiments/after/with/${name}`],
      "/experiments/after/with/before",
      ...[`/versions?of=${name}&of=${name}`, "/schedules", "/budgets", "/outbox", `/${name}`],
    ];
    const lookAtSome = async (some: readonly string[]): Promise<void> => {
      const { page, complaints, go } = await look();
      page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
      for (const path of some) {
        await go(path);
        await page.locator("h1").first().waitFor();
        await page.waitForLoadState("networkidle");
        expect(await page.title()).not.toBe("owned");
        expect(await page.locator("img[src=x], body script").count()).toBe(0);
        expect(await page.getByText("This page broke").count()).toBe(0);
        expect([path, complaints.filter((text) => !/status of 4\d\d/.test(text))]).toEqual([path, []]);
      }
    };
    // Idle is who has asked for nothing for half a second: several pages are idle side by side.
    const lanes = [0, 1, 2, 3].map((lane) => paths.filter((_, i) => i % 4 === lane));
    await Promise.all(lanes.map(lookAtSome));
  });
});

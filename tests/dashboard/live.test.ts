import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { browsing } from "./browsing.ts";
import { type Stage, stage } from "./stage.ts";

/** What a gate holds back until it is opened. */
class Gate {
  #open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });
  open(): void {
    this.#open();
  }
}

browsing("the dashboard, live", () => {
  const middle = new Gate();
  let here: Stage;
  beforeAll(async () => {
    here = await stage({
      reply: ({ text }) => (text.includes("Answer.") ? "It rained all day, and then it stopped." : "Fine."),
      beforeEvent: (event, { stream }) => (stream && event === 6 ? middle.opened : undefined),
    });
  });
  afterAll(() => here.close());

  const open = async (path: string): Promise<Page> => {
    const page = await here.browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(here.url + path);
    return page;
  };
  const sees = (page: Page, text: string): Promise<void> => page.getByText(text).first().waitFor();

  test("a run that somebody starts comes to the head of the list, and its line changes where it stands", async () => {
    const page = await open("/runs");
    await sees(page, "No runs yet");
    await here.start("ask", "How was the weather?", "weather");
    const line = page.locator('[data-run="weather"]');
    await line.locator('[data-status="running"]').waitFor();
    await here.start("hello", "Ada", "hello");
    await page.locator('[data-run="hello"] [data-status="completed"]').waitFor();
    expect(
      await page.locator("[data-run]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-run"))),
    ).toEqual(["hello", "weather"]);

    await line.getByRole("link").click();
    await page.locator('[data-path="/ask/answer:call#0"]').click();
    await sees(page, "It rain");
    middle.open();
    await page.locator('.page-head [data-status="completed"]').waitFor();
    await sees(page, "It rained all day, and then it stopped.");
  });

  test.each([
    ["it tells of what happened meanwhile", 0],
    ["where it was not there for longer than it tells of, all is asked for again", 20_000],
  ])("what happens before a page hears news is not missed: %s", async (_, aheadMs) => {
    const page = await here.browser.newPage();
    onTestFinished(() => page.close());
    const held = new Gate();
    await page.clock.install();
    await page.route("**/api/v1/events*", async (route) => {
      await held.opened;
      const { origin, pathname, search } = new URL(route.request().url());
      await route.continue({ url: origin + pathname + (aheadMs === 0 ? search : "") });
    });
    await here.start("hello", "Ada", `known-${aheadMs}`);
    await here.stands(`known-${aheadMs}`);
    await page.goto(`${here.url}/runs`);
    await page.locator(`[data-run="known-${aheadMs}"]`).waitFor();
    const runId = `unheard-${aheadMs}`;
    await here.start("hello", "Ada", runId);
    await here.stands(runId);
    expect(await page.locator(`[data-run="${runId}"]`).count()).toBe(0);
    if (aheadMs > 0) await page.clock.fastForward(aheadMs);
    held.open();
    await page.locator(`[data-run="${runId}"] [data-status="completed"]`).waitFor();
  });

  test("an approval is answered where it is asked, and the run goes on before one's eyes", async () => {
    const page = await open("/inbox");
    await here.start("payout", "order 17", "payout");
    const question = page.locator('[data-question="payout /payout/approve"]');
    await question.getByText("Pay $120 for order 17?").waitFor();
    await question.getByLabel("Note").fill("in time");
    await question.getByRole("button", { name: "Approve" }).click();
    await sees(page, "Nobody is asked anything");
    expect((await here.stands("payout")).run).toMatchObject({ status: "completed", output: "paid" });
  });

  test("an answer is given by a form made of its schema; one that cannot be sent says where it is wrong", async () => {
    await here.start("quarterly", ["Apple"], "report");
    await here.stands("report");
    const page = await open("/runs/report");
    await page.locator("[data-asks]").click();
    const form = page.locator("form").filter({ hasText: "verdict" });
    await form.getByLabel("verdict").selectOption("publish");
    await form.getByLabel("headline").fill("Steady growth");
    await form.getByLabel("priority").fill("high");
    await form.getByRole("button", { name: "Answer" }).click();
    await sees(page, "priority: a number is wanted");
    await form.getByLabel("priority").fill("9");
    await form.getByRole("button", { name: "Answer" }).click();
    await page.getByRole("alert").filter({ hasText: "priority" }).waitFor(); // the server's own check
    expect((await here.stands("report")).run.status).toBe("waiting");
    await form.getByLabel("priority").fill("2");
    await form.getByRole("button", { name: "Answer" }).click();
    await page.locator('.page-head [data-status="completed"]').waitFor();
    expect((await here.stands("report")).run.output).toBe("publish: Steady growth");
  });

  test.each(["light", "dark"] as const)(
    "a run is started by the form of its input, watched, answered, and compared with another (%s)",
    async (colorScheme) => {
      const runId = `form-${colorScheme}`;
      const page = await here.browser.newPage({ colorScheme });
      onTestFinished(() => page.close());
      await page.goto(`${here.url}/pipelines/payout`);
      await page.getByRole("button", { name: "Start a run" }).click();
      const form = page.getByRole("dialog");
      await form.getByLabel("Run id").fill(runId);
      await form.getByLabel("At most").fill("0.5");
      await form.getByLabel("Input").fill("order 99");
      await form.getByRole("button", { name: "Start", exact: true }).click();
      await page.waitForURL(`${here.url}/runs/${runId}`);
      await page.locator('.page-head [data-status="waiting"]').waitFor();
      expect((await here.stands(runId)).run).toMatchObject({ input: "order 99", limits: { costUsd: "0.5" } });

      await page.locator("[data-asks]").click();
      await page.getByRole("button", { name: "Approve" }).click();
      await page.locator('.page-head [data-status="completed"]').waitFor();
      await here.start("payout", "order 7", `${runId}-other`);
      await here.stands(`${runId}-other`);
      await page.locator(".page-head").getByRole("link", { name: "Compare" }).click();
      await page.getByLabel("and another").fill(`${runId}-other`);
      await page.keyboard.press("Enter");
      await sees(page, "Input of the run");
      await page.locator('[data-differs="/payout/pay"]').getByText(`Only in ${runId}`).waitFor();
    },
  );

  test("a run that halted of its budget is topped up and goes on; a run is cancelled, with the reason kept", async () => {
    await here.start("quarterly", ["Apple", "Amazon"], "cheap", { budget: "$0.00001" });
    expect((await here.stands("cheap")).run.status).toBe("halted");
    const page = await open("/runs/cheap");
    await sees(page, "does not allow");
    await page.getByRole("button", { name: "Top up" }).click();
    await page.getByLabel("Raise it by").fill("0.25");
    await page.getByRole("button", { name: "Top up and resume" }).click();
    await page.locator('.page-head [data-status="waiting"]').waitFor();
    expect((await here.stands("cheap")).run.limits).toEqual({ costUsd: "0.25001" });

    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByLabel("Why").fill("nobody needs it");
    await page.getByRole("button", { name: "Cancel the run" }).click();
    await page.locator('.page-head [data-status="cancelled"]').waitFor();
    await sees(page, "nobody needs it");
  });

  test("a schedule is made, paused, gone on with and removed", async () => {
    const page = await open("/schedules");
    await sees(page, "Nothing runs by itself");
    await page.getByRole("button", { name: "Add a schedule" }).click();
    const form = page.getByRole("dialog").filter({ hasText: "by a plan" });
    await form.getByLabel("Pipeline").selectOption("hello");
    await form.getByLabel("Cron expression").fill("at nine");
    await form.getByLabel("Time zone").fill("Europe/Madrid");
    await form.getByLabel("Each run at most").fill("0.25");
    await form.getByLabel("Input of each run").fill("Ada");
    await form.getByRole("button", { name: "Add the schedule" }).click();
    await form.getByRole("alert").filter({ hasText: "at nine" }).waitFor(); // the server's own check
    await form.getByLabel("Cron expression").fill("0 9 1 1 *");
    await form.getByRole("button", { name: "Add the schedule" }).click();
    const card = page.locator('[data-schedule="hello"]');
    await card.getByText("Next").waitFor();
    const { schedules } = await here.get<{ schedules: object[] }>("/schedules");
    expect(schedules).toMatchObject([
      { name: "hello", cron: "0 9 1 1 *", timeZone: "Europe/Madrid", budget: "$0.25", missed: "last" },
    ]);

    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("paused").waitFor();
    await card.getByRole("button", { name: "Go on" }).click();
    await card.getByText("Next").waitFor();
    await card.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
    await sees(page, "Nothing runs by itself");
    expect(await here.get("/schedules")).toEqual({ schedules: [] });
  });

  test("two runs are compared: what each cost, and where they went another way", async () => {
    await here.start("hello", "Ada", "first");
    await here.start("hello", "Bo", "second");
    await here.stands("second");
    const page = await open("/runs/first");
    await page.locator(".page-head").getByRole("link", { name: "Compare" }).click();
    await page.getByLabel("and another").fill("second");
    await page.keyboard.press("Enter");
    const differs = page.locator('[data-differs="/hello/greet"]');
    await differs.getByText("Hello, Ada!").waitFor();
    await differs.getByText("Hello, Bo!").waitFor();
  });

  test.each(["light", "dark"] as const)(
    "a run is forked with an edited prompt: no call before the point is made again (%s)",
    async (colorScheme) => {
      const runId = `whole-${colorScheme}`;
      await here.start("quarterly", ["Apple", "Amazon"], runId, { budget: "$0.50" });
      const { run } = await here.stands(runId);
      const before = here.model.requests.length;
      const at = "/quarterly/checks[tone]/judge tone";
      const page = await here.browser.newPage({ colorScheme });
      onTestFinished(() => page.close());
      await page.goto(`${here.url}/runs/${runId}?at=${encodeURIComponent(`${at}:call#0`)}`);
      await page.getByRole("button", { name: "Fork here" }).click();
      const dialog = page.getByRole("dialog");
      const prompt = dialog.getByLabel("System prompt");
      await prompt.waitFor();
      expect(await prompt.inputValue()).toBe("Is the tone sober?");
      expect(await dialog.getByLabel("At most").inputValue()).toBe("0.5");
      await prompt.fill("Is the tone cheerful?");
      await dialog.getByRole("button", { name: "Start the fork" }).click();

      await page.getByText("A fork of").waitFor();
      await page.locator('.page-head [data-status="waiting"]').waitFor();
      const fork = await here.stands(page.url().split("/").at(-1) ?? "");
      expect(fork.run).toMatchObject({ forkedFrom: { runId, at }, limits: { costUsd: "0.5" } });
      const shared = fork.run.forkedFrom?.sharedUsd;
      expect(await page.locator('[data-figure="run.shared"]').getAttribute("value")).toBe(shared);
      const calls = here.model.requests.slice(before).map(({ body }) => JSON.stringify(body));
      expect(calls).toHaveLength(3);
      expect(calls.filter((call) => call.includes("cheerful"))).toHaveLength(1);
      expect(calls.filter((call) => call.includes("Rewrite"))).toHaveLength(2);
      expect((await here.stands(runId)).run).toEqual(run);

      await page.getByRole("link", { name: "Compare them" }).click();
      await page.locator(`[data-differs="${at}:call#0"]`).getByText("cheerful").first().waitFor();
    },
  );

  test("a page whose server is gone says so, and is up to date again when another one is there", async () => {
    const page = await open("/runs");
    await page.locator('[data-run="hello"]').waitFor();
    await here.restart(async () => {
      await sees(page, "The server does not answer.");
    });
    await here.start("hello", "Bo", "after");
    await page.locator('[data-run="after"] [data-status="completed"]').waitFor();
    await page.getByText("The server does not answer.").waitFor({ state: "hidden" });
  });
});

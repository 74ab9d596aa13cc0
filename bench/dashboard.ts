/** How soon the dashboard shows what there is: a real `flujo up` on a real database, before Debian's Chromium. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fill, runs } from "../tests/dashboard/many-runs.ts";
import { type Stage, stage } from "../tests/dashboard/stage.ts";
import type { Finding } from "./finding.ts";
import { median, root } from "./measure.ts";

const operations = 50_000;
const rounds = 9;

export async function dashboard(): Promise<readonly Finding[]> {
  const bundle: Finding = {
    work: "dashboard, all its files gzipped",
    figure: packedKB(),
    unit: "kB",
    target: 400,
  };
  const here = await stage();
  try {
    await here.start("wide", operations, "wide");
    await fill(here.store);
    await here.stands("wide");
    return [bundle, await firstPage(here), ...(await opening(here)), await news(here)];
  } finally {
    await here.close();
  }
}

/** As they leave the server; what is not text is packed already. */
function packedKB(): number {
  const folder = join(root, "dist/dashboard");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const size = files.map((file) => {
    const bytes = readFileSync(join(file.parentPath, file.name));
    return Math.min(bytes.length, gzipSync(bytes).length);
  });
  return size.reduce((sum, one) => sum + one, 0) / 1_000;
}

async function firstPage({ get }: Stage): Promise<Finding> {
  const ms = await each(async () => void (await get("/runs?limit=100")));
  return { work: `first page of a list of ${grouped(runs)} runs`, figure: ms, unit: "ms", target: 50 };
}

/** From the address to a row that takes a click; and on, by a key, to the first items of a map in it. */
async function opening(here: Stage): Promise<readonly Finding[]> {
  const page = await here.browser.newPage();
  const whole: number[] = [];
  const ms = await each(
    async () => {
      await page.goto(`${here.url}/runs/wide`);
      await page.locator('[data-path="/wide/items"]').click();
    },
    async (began) => {
      await page.keyboard.press("ArrowRight");
      await page.locator('[data-path="/wide/items[0]"]').waitFor();
      whole.push(performance.now() - began);
    },
  );
  await page.close();
  const run = `a run of ${grouped(operations)} operations`;
  return [
    { work: `${run}, from its address to a row that takes a click`, figure: ms, unit: "ms", target: 1_000 },
    { work: `${run}, from its address to the first items opened in it`, figure: median(whole), unit: "ms" },
  ];
}

/** From the answer that a run is started to its line in a list that is on screen. */
async function news(here: Stage): Promise<Finding> {
  const page = await here.browser.newPage();
  await page.goto(`${here.url}/runs`);
  await page.locator('[data-run="wide"]').waitFor();
  const ms: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const runId = `news-${round}`;
    const seen = page.evaluate<number>(shown(runId));
    await here.start("wide", 1, runId);
    const began = performance.timeOrigin + performance.now();
    ms.push(Math.max(0, (await seen) - began));
    // At any moment between two looks of the server: a pause of one length would always meet the same one.
    await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 300));
  }
  await page.close();
  return {
    work: "a run that is started, to its line on screen",
    figure: median(ms),
    unit: "ms",
    target: 200,
  };
}

/** Run in the page: the moment at which a run has come on screen. */
const shown = (runId: string): string => `new Promise((resolve) => {
  const look = () => {
    if (document.querySelector('[data-run="${runId}"]') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  look();
})`;

/** The median of some rounds, the first one, in which everything is compiled, left out. @param after is not timed. */
async function each(
  work: () => Promise<void>,
  after: (began: number) => Promise<void> = async () => {},
): Promise<number> {
  const ms: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    await work();
    if (round > 0) ms.push(performance.now() - began);
    await after(began);
  }
  return median(ms);
}

const grouped = (count: number): string => count.toLocaleString("en-US");

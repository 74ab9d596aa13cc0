/** Makes the pictures of docs/dashboard.md anew: `node tests/dashboard/pictures.ts`, after `npm run build`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { sqlite } from "flujo/sqlite";
import type { Page } from "playwright-core";
import type { ServedReply } from "../../src/testing/openai-server.ts";
import { tryCapitals } from "./capitals.ts";
import { pastRuns } from "./past-runs.ts";
import { stage } from "./stage.ts";

const folder = join(import.meta.dirname, "../../docs/dashboard");
const companies = ["Apple", "Microsoft", "Alphabet", "Amazon", "NVIDIA"];
const sentences = [
  "Revenue grew by 4 % to $12,000 million, driven by services; margins held steady.",
  "Cloud revenue rose by 21 %, and now makes up more than half of all operating income.",
  "Advertising recovered, while capital spending on data centres doubled within a year.",
];

const system = "You are a financial analyst. Say in ten words what matters. Look the figures up.";

let asked = 0;
const never = new Promise<void>(() => {});
const here = await stage({
  latencyMs: ({ index }) => 120 + ((index * 137) % 400),
  beforeEvent: (event, { text }) => (text.includes("the weather") && event === 9 ? never : undefined),
  reply({ text, body }): ServedReply {
    const company = companies.find((name) => text.includes(`${name} filed`));
    if (company !== undefined && !JSON.stringify(body).includes("revenue"))
      return { toolCalls: [{ name: "figures", input: { company } }] };
    if (text.includes("sober")) return "Yes: it states figures, and praises nobody.";
    asked += 1;
    return sentences[asked % sentences.length] as string;
  },
});

const acme = { budget: "$0.05", scopes: ["tenant:acme"] };
await here.start("quarterly", companies.slice(0, 3), "q1-2026", acme);
await here.stands("q1-2026");
await here.start("hello", "Ada", "hello-ada");
await here.start("failing", null, "import-0419");
for (const order of [1038, 1039, 1040]) await here.start("payout", `order ${order}`, `payout-${order}`);
await here.start("quarterly", companies, "q2-2026", { budget: "$0.0013", scopes: ["tenant:globex"] });
await here.stands("q2-2026");
await here.start("wide", 1_200, "backfill-2025");
await here.start("quarterly", companies, "q3-2026", acme);
await here.stands("q3-2026");
await here.start("ask", "How was the weather?", "weather");

type Theme = "light" | "dark";
type Shot = readonly [
  name: string,
  path: string,
  theme: Theme,
  width: number,
  height: number,
  act?: (page: Page) => Promise<void>,
];
const call = "/quarterly/companies[1]/summarise:call#1";
const shots: readonly Shot[] = [
  ["runs", "/runs", "light", 1240, 640],
  ["run", `/runs/q3-2026?at=${encodeURIComponent(call)}`, "dark", 1440, 900],
  ["graph", "/runs/q3-2026?tab=graph", "light", 1240, 900],
  ["costs", "/runs/q3-2026?tab=costs", "dark", 1240, 720],
  ["compare", "/compare?a=q3-2026&b=q1-2026", "light", 1240, 900],
  ["inbox", "/inbox", "light", 1240, 640],
];
const shotsOfExperiments: readonly Shot[] = [
  ["experiments", "/experiments", "light", 1440, 720],
  ["experiment", "/experiments/gpt-4o", "dark", 1440, 1100],
  ["experiment-compare", "/experiments/v7-final/with/gpt-4o", "light", 1440, 1160, openCase],
];
const summarise = "/quarterly/companies[1]/summarise";
const shotsOfMany = (versions: readonly string[]): readonly Shot[] => [
  ["fork", `/runs/q1-2026?at=${encodeURIComponent(summarise)}`, "light", 1240, 900, fork],
  ["stats", "/stats?span=30", "light", 1240, 1_000],
  ["versions", `/versions?${versions.map((of) => `of=${of}`).join("&")}`, "dark", 1240, 900],
];
mkdirSync(folder, { recursive: true });
await shoot(shots);
// What follows is of many runs, or trials, which are runs as well: it comes when the others are taken.
const store = sqlite(here.store.replace("sqlite:", ""));
await here.act("q1-2026", "fork", { at: summarise, system, runId: "q1-2026-brief" });
await here.stands("q1-2026-brief");
const data = { verdict: "publish", headline: "Steady growth", priority: 2, urgent: false };
await here.act("q1-2026", "signals", { path: "/quarterly/publish", data });
await here.stands("q1-2026");
for (const [runId, days] of [
  ["q1-2026", 12],
  ["q1-2026-brief", 4],
  ["hello-ada", 9],
] as const)
  await pastRuns(store, runId, days);
const { versions } = await here.get<{ versions: { fingerprint: string; pipeline: string }[] }>("/versions");
const ofQuarterly = versions.filter(({ pipeline }) => pipeline === "quarterly");
await shoot(shotsOfMany(ofQuarterly.map(({ fingerprint }) => fingerprint).slice(0, 2)));
await tryCapitals(store);
await store.close();
await shoot(shotsOfExperiments);
await here.close();

async function shoot(some: readonly Shot[]): Promise<void> {
  for (const [name, path, colorScheme, width, height, act] of some) {
    const page = await here.browser.newPage({
      colorScheme,
      viewport: { width, height },
      reducedMotion: "reduce",
    });
    await page.goto(here.url + path);
    await page.locator("[data-figure], [data-question]").first().waitFor();
    await page.waitForLoadState("networkidle");
    await act?.(page);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await page.close();
  }
}

async function openCase(page: Page): Promise<void> {
  await page.locator("[data-case] button").first().click();
}

async function fork(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Fork here" }).click();
  await page.getByLabel("System prompt").fill(system);
}

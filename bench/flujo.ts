/** Flujo beside the raw limits, measured in turns: every target of the bench, each with what was reached. */
import { join } from "node:path";
import type { Store } from "flujo";
import { memory } from "flujo/memory";
import { sqlite } from "flujo/sqlite";
import { dashboard } from "./dashboard.ts";
import { evals } from "./evals.ts";
import type { Finding } from "./finding.ts";
import { bytesIn, content, figure, inFolder, inTurns, items, median, node, ratio } from "./measure.ts";
import { money } from "./money.ts";
import { rawDatabase } from "./raw.ts";
import { commandLine, importing } from "./startup.ts";
import { chain, type Death, deaths, fan, loop, resumeAfterDeath, usPerStep } from "./workloads.ts";

const start = content(0);

async function inMemory(): Promise<readonly Finding[]> {
  const works = { chain: chain(1_000), loop: loop(1_000), fan: fan() };
  const chained = () => usPerStep(works.chain, start, 1_000, memory());
  const first = await chained();
  const us = await inTurns(
    9,
    {
      chain: () => repeated(5_000, 1_000, chained),
      loop: () => repeated(5_000, 1_000, () => usPerStep(works.loop, start, 1_000, memory())),
      fan: () => usPerStep(works.fan, items(10_000), 10_000, memory()),
    },
    15, // it takes tens of thousands of steps until Node has compiled all that is hot
  );
  return [
    { work: "in-memory chain of 1,000, a step", figure: us.chain.median, unit: "us", target: 10 },
    { work: "in-memory chain, the first in its process, a step", figure: first, unit: "us" },
    { work: "in-memory loop of 1,000, a turn", figure: us.loop.median, unit: "us" },
    { work: "in-memory fan-out of 10,000 by 16, an item", figure: us.fan.median, unit: "us" },
  ];
}

async function durable(folder: string): Promise<readonly Finding[]> {
  const [steps, mapped] = [400, 4_000];
  const works = { chain: chain(steps), fan: fan() };
  const synced = sqlite(join(folder, "durable.db"));
  const relaxed = sqlite(join(folder, "relaxed.db"), { durability: "relaxed" });
  const full = await rawDatabase(folder, "FULL");
  const normal = await rawDatabase(folder, "NORMAL");
  const us = await inTurns(
    21,
    {
      raw: () => full.insert(steps),
      chain: () => usPerStep(works.chain, start, steps, synced),
      rawBy16: () => full.insert(mapped, 16),
      fan: () => usPerStep(works.fan, items(mapped), mapped, synced),
      rawRelaxed: () => normal.insert(mapped),
      relaxed: () => usPerStep(works.chain, start, steps, relaxed),
    },
    8, // as in memory: until Node has compiled what is hot
  );
  await synced.close();
  await relaxed.close();
  full.close();
  normal.close();
  const beside = (raw: number) => `raw: ${figure(raw)} us`;
  return [
    { work: "durable step, synced", figure: us.chain.median, unit: "us", note: beside(us.raw.median) },
    { work: "... over the raw synced commit", figure: ratio(us.chain, us.raw), unit: "x", target: 1.5 },
    {
      work: "fan-out by 16, synced, an item",
      figure: us.fan.median,
      unit: "us",
      note: `${beside(us.rawBy16.median)} by 16`,
    },
    {
      work: "... its rate over Flujo's own sequential one",
      figure: ratio(us.chain, us.fan),
      unit: "x",
      target: 10,
      atLeast: true,
    },
    {
      work: "... its rate over the raw sequential one",
      figure: ratio(us.raw, us.fan),
      unit: "x",
      note: `raw by 16 itself: ${figure(ratio(us.raw, us.rawBy16))}x`,
    },
    {
      work: 'durable step, "relaxed"',
      figure: us.relaxed.median,
      unit: "us",
      note: beside(us.rawRelaxed.median),
    },
  ];
}

/**
 * Runs of 100, 1,000 and 10,000 steps, as many of each as make the same number of steps, in turns. Without syncs: they
 * cost the same at any length, and would only hide what grows.
 */
async function growth(folder: string): Promise<readonly Finding[]> {
  const lengths = [100, 1_000, 10_000] as const;
  const findings: Finding[] = [];
  for (const shape of ["chain", "loop"] as const) {
    for (const kind of ["memory", "SQLite"] as const) {
      const works = lengths.map((steps) => [steps, shape === "chain" ? chain(steps) : loop(steps)] as const);
      const store =
        kind === "memory" ? undefined : sqlite(join(folder, `growth-${shape}.db`), { durability: "relaxed" });
      const us = await inTurns(
        5,
        Object.fromEntries(
          works.map(([steps, flow]) => [
            `${steps}`,
            () => repeated(10_000, steps, () => usPerStep(flow, start, steps, store ?? memory())),
          ]),
        ) as Record<"100" | "1000" | "10000", () => Promise<number>>,
      );
      await store?.close();
      findings.push({
        work: `${shape} on ${kind}: a step at 10,000 over one at 100`,
        figure: ratio(us["10000"], us["100"]),
        unit: "x",
        target: 1.15,
        note: `${lengths.map((steps) => figure(us[`${steps}`].median)).join(" / ")} us at 100 / 1,000 / 10,000`,
      });
    }
  }
  return findings;
}

/** The mean over as many runs as reach `total` steps; at least one. */
async function repeated(total: number, steps: number, run: () => Promise<number>): Promise<number> {
  const times = Math.max(1, Math.round(total / steps));
  let sum = 0;
  for (let i = 0; i < times; i++) sum += await run();
  return sum / times;
}

async function bytes(): Promise<readonly Finding[]> {
  const count = 10_000;
  const own = items(count).reduce((sum, n) => sum + JSON.stringify(content(n)).length, 0) / count;
  const weigh = (work: string, run: (store: Store) => Promise<unknown>) =>
    inFolder(async (folder): Promise<Finding> => {
      const store = sqlite(join(folder, "bytes.db"), { durability: "relaxed" });
      await run(store);
      await store.close();
      const beyond = bytesIn(folder) / count - own;
      return {
        work: `store bytes beyond content: ${work}`,
        figure: beyond,
        unit: "B",
        target: 300,
        note: `content: ${figure(own)} B`,
      };
    });
  return [
    await weigh("chain, a step", (store) => usPerStep(chain(count), start, count, store)),
    await weigh("loop, a turn", (store) => usPerStep(loop(count), start, count, store)),
    await weigh("fan-out, an item", (store) => usPerStep(fan(), items(count), count, store)),
  ];
}

async function resuming(folder: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const shape of Object.keys(deaths) as Death[]) {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) times.push(await resumeAfterDeath(shape, join(folder, `${shape}-${i}.db`)));
    findings.push({
      work: `resuming ${figure(deaths[shape])} finished steps after kill -9: ${shape}`,
      figure: median(times),
      unit: "ms",
      target: 150,
    });
  }
  return findings;
}

async function hundredThousand(folder: string): Promise<readonly Finding[]> {
  const args = ["bench/many-items.js", "100000"];
  const seen: { readonly mb: number; readonly us: number }[] = [];
  for (let i = 0; i < 3; i++) seen.push(JSON.parse(node([...args, join(folder, `${i}.db`)])));
  const us = median(seen.map((one) => one.us));
  return [
    {
      work: "peak memory, 100,000 map items, synced",
      figure: median(seen.map((one) => one.mb)),
      unit: "MB",
      target: 300,
      note: `${figure(us)} us an item`,
    },
  ];
}

async function imports(): Promise<readonly Finding[]> {
  const { nodeMs, importMs, heavy, modules } = await importing();
  const note = `${modules} modules; Node itself ${figure(nodeMs)} ms`;
  return [
    { work: 'import "flujo", beyond bare Node', figure: importMs, unit: "ms", target: 40, note },
    {
      work: "... model SDKs and drivers it loads",
      figure: heavy.length,
      unit: "",
      target: 0,
      note: heavy.join(" "),
    },
  ];
}

async function hello(): Promise<readonly Finding[]> {
  const { ms, times, firstTimes } = await commandLine();
  return [
    {
      work: "flujo run examples/hello.ts over bare Node",
      figure: times,
      unit: "x",
      target: 3,
      note: `${figure(ms)} ms`,
    },
    { work: "... the first time, with no compile cache yet", figure: firstTimes, unit: "x" },
  ];
}

/** Every part of the bench, by the name that `npm run bench -- --only NAME` takes. */
export const parts: Readonly<Record<string, () => Promise<readonly Finding[]>>> = {
  memory: inMemory,
  durable: () => inFolder(durable),
  growth: () => inFolder(growth),
  bytes,
  resume: () => inFolder(resuming),
  items: () => inFolder(hundredThousand),
  import: imports,
  cli: hello,
  money,
  evals: () => inFolder(evals),
  dashboard,
};

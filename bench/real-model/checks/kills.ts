/** `kill -9` of a run's process at random moments, again and again, until the run is complete. */
import { join } from "node:path";
import { sqlite } from "flujo/sqlite";
import { type Chapter, dollars, type Line, of } from "../chapter.ts";
import type { Lab } from "../lab.ts";
import { picoPrice } from "../prices.ts";
import { bill, type Served } from "../server/log.ts";
import { showcaseFile } from "./showcase.ts";

/** What is killed: three calls of some seconds, and an agent with tools, in eight short ones. */
const victims = {
  showcase: [showcaseFile, "--input", "Apple, Microsoft, NVIDIA"],
  "agent with tools": [
    join(import.meta.dirname, "tools.ts"),
    ...["--export", "desk", "--input-json"],
    JSON.stringify(["What is 1234 + 4321?", "What is 500 - 123?", "What is the stock of mirrors?"]),
  ],
};
const runs = 2;
/** Kills come this long after the start of a process, in milliseconds. */
const life = [800, 6_000] as const;
/** Then the process is let live: more would say that nothing moves on. */
const mostKills = 10;

export async function kills(lab: Lab): Promise<Chapter> {
  const lines: Line[] = [];
  for (const [name, args] of Object.entries(victims)) lines.push(...(await series(lab, name, args)));
  return { title: "Kill -9", lines };
}

async function series(lab: Lab, name: string, args: readonly string[]): Promise<Line[]> {
  const id = name.replaceAll(" ", "-");
  const expected = await victim(lab, `${id}-whole`, args, 0);
  const told: Told[] = [];
  for (let n = 0; n < runs; n++) told.push(await victim(lab, `${id}-${n}`, args, mostKills));
  const total = (count: (one: Told) => number) => told.reduce((sum, one) => sum + count(one), 0);
  const equal = told.filter(({ output }) => output === expected.output).length;
  const money = (amount: (one: Told) => bigint) => told.reduce((sum, one) => sum + amount(one), 0n);
  const [spent, billed] = [money((one) => one.spent), money((one) => one.billed)];
  const [twice, unknown] = [total((one) => one.twice), total((one) => one.unknown)];
  return [
    { what: `${name}: runs; kills`, figure: `${runs}; ${total((one) => one.kills)}` },
    {
      what: `${name}: requests finished; cut off by a kill; in an undisturbed run`,
      figure: `${total((one) => one.finished)}; ${total((one) => one.cut)}; ${expected.finished}`,
    },
    { what: `${name}: recorded operations done again`, figure: `${twice}`, kept: twice === 0 },
    {
      what: `${name}: results equal to the undisturbed one`,
      figure: of(equal, runs),
      kept: equal === runs,
    },
    {
      what: `${name}: requests without a reservation in the journal`,
      figure: `${unknown}`,
      kept: unknown === 0,
    },
    {
      what: `${name}: spent, by Flujo and by the server's log; undisturbed`,
      figure: `${dollars(spent)} and ${dollars(billed)}; ${dollars(expected.spent * BigInt(runs))}`,
      kept: spent >= billed,
    },
  ];
}

interface Told {
  readonly output: string;
  readonly kills: number;
  readonly finished: number;
  readonly cut: number;
  /** Operations recorded twice, and calls reserved anew although their result was recorded. */
  readonly twice: number;
  /** Requests without a reservation in the journal. */
  readonly unknown: number;
  readonly spent: bigint;
  readonly billed: bigint;
}

async function victim(lab: Lab, runId: string, args: readonly string[], most: number): Promise<Told> {
  const before = (await lab.log()).length;
  const path = join(lab.folder, `${runId}.db`);
  const command = ["run", ...args, "--run-id", runId, "--store", `sqlite:${path}`, "--json"];
  let kills = 0;
  let stdout = "";
  for (;;) {
    const after = kills < most ? life[0] + Math.random() * (life[1] - life[0]) : undefined;
    const ended = await lab.flujo(command, after);
    stdout = ended.stdout;
    if (ended.code === 0) break;
    kills += 1;
  }
  const { output } = JSON.parse(stdout);
  return {
    output: JSON.stringify(output),
    kills,
    ...(await account(path, runId, (await lab.log()).slice(before))),
  };
}

/** The journal and the log, side by side. */
async function account(path: string, runId: string, log: readonly Served[]) {
  const store = sqlite(path);
  const entries = (await store.read(runId, 0, 100_000)) ?? [];
  await store.close();
  const recorded = new Set<string>();
  const reserved = new Set<number>();
  let twice = 0;
  let spent = 0n;
  for (const entry of entries) {
    if (entry.type === "operation-completed") {
      if (recorded.has(entry.path)) twice += 1;
      recorded.add(entry.path);
    }
    if (entry.type === "budget-settled") spent += BigInt(entry.amount.picoUsd);
    if (entry.type !== "budget-reserved") continue;
    reserved.add(entry.seq);
    if (recorded.has(entry.path)) twice += 1;
  }
  return {
    twice,
    spent,
    billed: bill(log, picoPrice),
    finished: log.filter(({ finish }) => ["stop", "length", "tool_calls"].includes(finish)).length,
    cut: log.filter(({ finish }) => finish === "aborted" || finish === "gone").length,
    unknown: log.filter(({ key }) => !reserved.has(Number(key?.split(":")[1]))).length,
  };
}

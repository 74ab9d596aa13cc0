/** Flujo's side of the bench: the pipelines, and what it takes to run, kill and resume them. Everything through the public doors. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { Flujo, loopUntil, mapOver, pipeline, type Step, type Store, step } from "flujo";
import { sqlite } from "flujo/sqlite";
import { content, items, timed } from "./measure.ts";

type Result = ReturnType<typeof content>;

/** So many steps in a row, each with a place of its own. */
export function chain(steps: number): Step<Result, Result> {
  let flow: Step<Result, Result> = step("step-0", async (): Promise<Result> => content(0));
  for (let n = 1; n < steps; n++) flow = flow.to(step(`step-${n}`, async (): Promise<Result> => content(n)));
  return pipeline("chain", flow);
}

/** One step, so many times. */
export function loop(turns: number): Step<Result, Result> {
  const turn = step("turn", async ({ step: n }: Result): Promise<Result> => content(n + 1));
  return pipeline(
    "loop",
    loopUntil("again", turn, { until: ({ step: n }) => n >= turns, maxLoops: turns + 1 }),
  );
}

/** One step over so many items, sixteen at a time. */
export function fan(): Step<readonly number[], Result[]> {
  return pipeline(
    "fan",
    mapOver(
      "all",
      step("one", async (n: number): Promise<Result> => content(n)),
      { concurrency: 16 },
    ),
  );
}

let runs = 0;

/** Runs a pipeline to its end on the store, and says how many microseconds each of its steps took. */
export async function usPerStep<In>(
  flow: Step<In, unknown>,
  input: In,
  steps: number,
  store: Store,
): Promise<number> {
  await using flujo = new Flujo(flow, { store });
  const ms = await timed(async () => completed(await flujo.run(input, { runId: `run-${runs++}` })));
  return (ms * 1_000) / steps;
}

function completed(result: { readonly status: string; readonly error?: unknown }): void {
  if (result.status !== "completed")
    throw new Error(`a bench run ended ${result.status}`, { cause: result.error });
}

/** What a process that dies with so many steps finished leaves behind, by the shape of its pipeline. */
export const deaths = { chain: 10_000, loop: 10_000, fan: 10_000 } as const;
export type Death = keyof typeof deaths;

let started = 0;

/** The pipeline that dies, or, with `survives`, goes on: its last step notes when it was reached. */
export function mortal(
  shape: Death,
  survives: boolean,
): { readonly flow: Step<Result | readonly number[], unknown>; readonly input: never } {
  const last = <In>() =>
    step("last", async (_: In) => {
      if (!survives) process.kill(process.pid, "SIGKILL");
      started = performance.now();
      return true;
    });
  const bodies = {
    chain: () => pipeline("mortal", chain(deaths.chain).to(last<Result>())),
    loop: () => pipeline("mortal", loop(deaths.loop).to(last<Result>())),
    fan: () => pipeline("mortal", fan().to(last<Result[]>())),
  };
  // The three inputs differ; each shape is only ever run with its own.
  return {
    flow: bodies[shape]() as never,
    input: (shape === "fan" ? items(deaths.fan) : content(0)) as never,
  };
}

/** Lets a process die by SIGKILL after the finished steps, then resumes its run here: ms until new work starts. */
export async function resumeAfterDeath(shape: Death, path: string): Promise<number> {
  const victim = fork(new URL("victim.ts", import.meta.url), [shape, path], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [, signal] = await once(victim, "exit");
  if (signal !== "SIGKILL") throw new Error(`the process that should die by SIGKILL in "${shape}" did not`);
  const { flow, input } = mortal(shape, true);
  const from = performance.now();
  const store = sqlite(path);
  await using flujo = new Flujo(flow, { store });
  completed(await flujo.run(input, { runId: "mortal" }));
  await store.close();
  return started - from;
}

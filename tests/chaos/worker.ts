/** A process that advances one run and tells its parent what happens. It may be killed at any moment: that is its purpose. */
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { models } from "../../src/agents/models.ts";
import { FlujoError } from "../../src/core/errors.ts";
import type { Step } from "../../src/core/step.ts";
import type { Advanced, RunResult } from "../../src/engine/options.ts";
import { Flujo } from "../../src/flujo.ts";
import { type Execution, type Job, type Message, storeAt } from "./job.ts";
import { pipelines, respondent } from "./pipelines.ts";

const job = JSON.parse(process.argv[2] ?? "") as Job; // written by the parent
const tell = (message: Message): void => void process.send?.(message);
process.once("disconnect", () => process.exit()); // no parent, no purpose

if (job.unprivileged && process.getuid?.() === 0) {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}

/** On a line of its own, also after half a line that a killed process has left. */
const log = (execution: Execution): void => appendFileSync(job.log, `\n${JSON.stringify(execution)}\n`);
const goAhead = new Promise((resolve) => process.once("message", resolve));

/** A body's work: it takes a while, and leaves its mark when it is done. */
async function work(runId: string, path: string): Promise<void> {
  const [least, most] = job.pauseMs ?? [0, 2];
  await pause(least + Math.random() * (most - least));
  if (job.hang?.includes(path)) {
    tell({ type: "reached", runId, path });
    await goAhead;
  }
  log({ runId, path, pid: process.pid });
}

/** Each pipeline reads its own input. */
async function resultOf(
  flujo: Flujo<never, unknown, never>,
): Promise<RunResult<unknown> | Advanced<unknown>> {
  const { input, runId, within } = job;
  if (within === undefined) return flujo.run(input as never, { runId });
  await flujo.submit(input as never, { runId });
  return flujo.advance(runId, { within });
}

let commits = 0;
let isCounted = false;
/** The entries of one commit are told in one go. */
function countCommit(): void {
  if (isCounted) return;
  isCounted = true;
  queueMicrotask(() => {
    isCounted = false;
  });
  if (++commits === job.diesAfter) process.kill(process.pid, "SIGKILL");
}

const model = respondent((path) => log({ runId: job.runId, path, pid: process.pid }), job.pauseMs?.[1] ?? 2);
const store = storeAt(job.place);
tell({ type: "up" });
const began = performance.now();
const tree: Step<never, unknown, never> = pipelines[job.pipeline]({ work, model });
try {
  await using flujo = new Flujo(tree, {
    store,
    models: models({ prices: { ...model.prices, "openai:gpt-image-1": { image: "$0.04" } } }),
    ...(job.lease === undefined ? {} : { lease: job.lease }),
    ...(job.budget === undefined ? {} : { budget: job.budget }),
    ...(job.scopes === undefined ? {} : { scopes: job.scopes }),
    takeOver: job.takeOver ?? false,
    onEvent: (event, runId) => {
      tell({ type: "recorded", runId, entry: event.type, path: event.path });
      countCommit();
    },
  });
  const result = await resultOf(flujo);
  const output = result.status === "completed" ? result.output : undefined;
  const code = "error" in result ? result.error.code : undefined;
  tell({ type: "ended", status: result.status, output, spent: result.spent, code });
} catch (error) {
  const afterMs = performance.now() - began;
  const { code, message, hint } = FlujoError.isInstance(error)
    ? error
    : { code: "bug", message: String(error) };
  tell({ type: "refused", code, message, hint, afterMs });
}
await store.close();
process.disconnect?.();

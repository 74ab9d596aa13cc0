import { decode } from "../../core/codec.ts";
import { type Fact, isBlobRef } from "../../core/entries.ts";
import { placed, recordError, reviveError } from "../../core/error-record.ts";
import { InvalidInputError, InvalidOutputError } from "../../core/errors.ts";
import type { WorkNode } from "../../core/node.ts";
import { attemptPath, childPath, type Path } from "../../core/paths.ts";
import { check, misfit, type Schema } from "../../core/schema.ts";
import { settingsOf } from "../../core/settings.ts";
import { BodyContext } from "../body-context.ts";
import type { Frame } from "../frame.ts";
import { instrumented } from "../instrumented.ts";
import { Interruption } from "../interruption.ts";
import { fetchJson, keep, type Value } from "../values.ts";

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** A step or an agent: output, state changes and settlement are one append. */
export async function advanceWork(node: WorkNode, input: Value, frame: Frame): Promise<Value> {
  const path = childPath(frame.path, node.name);
  const { tenure, stop } = frame;
  const { run, journal, world } = tenure;
  const done = run.completed.get(path);
  if (done !== undefined) {
    frame.footprint?.notePartial();
    if (tenure.rehearsal !== undefined) await tenure.rehearsal.finished(node, path, input, frame);
    frame.state.apply(done.state);
    return { json: done.output, ref: done.seq };
  }
  const failed = run.failures.get(path);
  if (failed !== undefined && failed.seq > frame.freshFrom) {
    frame.footprint?.notePartial();
    throw reviveError(failed.error, tenure.runId);
  }
  stop.check();
  tenure.checkStaying();
  tenure.checkFitting(path);
  const attempt = (run.attempts.get(path) ?? 0) + 1;
  const context = new BodyContext(
    frame,
    path,
    attempt,
    node.freshAttempts ? attemptPath(path, attempt) : path,
    settingsOf(node),
  );
  const which = { path, kind: node.kind, attempt, in: input.ref } as const;
  const began = world.now();
  const start = journal.announce(which);
  try {
    const stored = isBlobRef(input.json) ? await fetchJson(input.json, tenure.store) : input.json;
    const given = node.input === undefined ? decode(stored) : await fitting(node.input, decode(stored), path);
    // The builder's types tie input to work; nodes have forgotten them.
    const returned = await stop.race(() =>
      instrumented(tenure, path, () => node.work(given as never, context)),
    );
    context.checkAwake();
    const isFree = node.output === undefined && frame.checks.length === 0;
    const output = isFree ? returned : await checked(node, returned, path, frame);
    const kept = keep(output, `output of ${path}`, path);
    const changes = context.changes();
    const took = world.now() - began;
    const done: Writable<Extract<Fact, { type: "step-completed" }>> = {
      type: "step-completed",
      path,
      kind: node.kind,
      in: input.ref,
      output: kept.entry,
    };
    if (attempt > 1) done.attempt = attempt;
    if (took > 0) done.took = took;
    if (changes !== undefined) done.state = changes;
    const seq = journal.put(done, kept.blob);
    context.end();
    start.over = true;
    await journal.sync();
    frame.state.apply(changes);
    return { json: kept.json, ref: seq };
  } catch (error) {
    if (error instanceof Interruption) throw error; // its calls under way may still be recorded
    context.checkAwake();
    context.end();
    start.over = true;
    const failure = placed(error, path);
    journal.put({
      type: "step-failed",
      ...which,
      error: recordError(failure, path),
      took: world.now() - began,
    });
    throw failure;
  }
}

async function fitting(schema: Schema, value: unknown, path: Path): Promise<unknown> {
  const result = await check(schema, value);
  if (!result.ok) throw new InvalidInputError(misfit("input", path, result.issues), { path });
  return result.value;
}

async function checked(node: WorkNode, output: unknown, path: Path, frame: Frame): Promise<unknown> {
  let value = output;
  if (node.output !== undefined && node.kind === "step")
    value = await fittingOutput(node.output, value, path);
  for (const check of frame.checks) value = await check.apply(value, path);
  return value;
}

/** @throws InvalidOutputError, worth another attempt. */
export async function fittingOutput(schema: Schema, value: unknown, path: Path): Promise<unknown> {
  const result = await check(schema, value);
  if (!result.ok)
    throw new InvalidOutputError(misfit("output", path, result.issues), { path, retryable: true });
  return result.value;
}

import { approvalSchema } from "../../core/approval.ts";
import { decode } from "../../core/codec.ts";
import { placed } from "../../core/errors.ts";
import type { HumanNode } from "../../core/node.ts";
import { childPath, type Path } from "../../core/paths.ts";
import { check } from "../../core/schema.ts";
import type { Frame } from "../frame.ts";
import { Interruption } from "../interruption.ts";
import { fetchJson, keep, type Value } from "../values.ts";

/** Waits for a person: the first fitting answer sent to this path becomes its output. */
export async function advanceHuman(node: HumanNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure } = frame;
  const { run, journal } = tenure;
  const path = childPath(frame.path, node.name);
  const done = run.completed.get(path);
  if (done !== undefined) return { json: done.output, ref: done.seq };
  frame.stop.check();
  for (const signal of await tenure.signalsAt(path)) {
    const answer = await check(node.answer ?? approvalSchema, decode(signal.data));
    if (!answer.ok) continue; // refused when it was sent; whoever got past that changes nothing
    const kept = keep(answer.value, `answer to ${path}`, path);
    const seq = journal.put({ type: "signal-received", path, output: kept.entry }, kept.blob);
    await journal.sync();
    return { json: kept.json, ref: seq };
  }
  if (!run.prompts.has(path)) {
    journal.put({ type: "signal-awaited", path, prompt: await promptOf(node, path, input, frame) });
  }
  throw Interruption.suspended([path]);
}

async function promptOf(node: HumanNode, path: Path, input: Value, frame: Frame): Promise<string> {
  const given = decode(await fetchJson(input.json, frame.tenure.store));
  try {
    return String(node.prompt(given as never)); // the builder ties the prompt to the input
  } catch (error) {
    throw placed(error, path);
  }
}

import { InvalidOutputError } from "../../core/errors.ts";
import { codeFact, isTest, schemaFact } from "../../core/fingerprint.ts";
import { checksIn, isQualifier, type Node, nameOf, type ValidateNode } from "../../core/node.ts";
import { childPath, operationPath, type Path } from "../../core/paths.ts";
import type { Schema } from "../../core/schema.ts";
import type { Frame, OutputCheck } from "../frame.ts";
import { keep, open, type Value } from "../values.ts";
import { altered } from "./closed.ts";
import { fittingOutput } from "./work.ts";

/**
 * Checks an output. For a step or an agent the check is part of the attempt, so that a retry does the work anew;
 * what a container has put together is checked when it is whole.
 */
export async function advanceValidate(node: ValidateNode, input: Value, frame: Frame): Promise<Value> {
  const check = checkOf(node);
  if (isOneBody(node.of)) {
    return frame.advance(node.of, input, { ...frame, checks: [check, ...frame.checks] });
  }
  const path = childPath(frame.path, nameOf(node.of));
  const value = await frame.advance(node.of, input, frame);
  const output = await check.apply(await open(value.json, frame.tenure.store), path);
  const own = operationPath(path, "validate", checksIn(node.of));
  return altered(frame, own, value, keep(output, `output of ${path}`, path));
}

/** Whether the output of the node is the output of one body, whichever fallback it is. */
function isOneBody(node: Node): boolean {
  if (node.kind === "fallback") return isOneBody(node.of) && isOneBody(node.other);
  return isQualifier(node) ? isOneBody(node.of) : node.kind === "step" || node.kind === "agent";
}

function checkOf({ check }: ValidateNode): OutputCheck {
  if ("~standard" in check) {
    const schema = check as Schema; // some schemas are callable
    return {
      fact: schemaFact(schema),
      isTest: isTest(schema),
      apply: (output, path) => fittingOutput(schema, output, path),
    };
  }
  const apply = async (output: unknown, path: Path): Promise<unknown> => {
    const verdict = await check(output as never); // the builder ties the check to the output's type
    if (verdict === true) return output;
    const why = verdict === false ? "its validate() check said no" : verdict;
    throw new InvalidOutputError(`output of ${path} is not valid: ${why}`, { path, retryable: true });
  };
  return { fact: codeFact(check), isTest: true, apply };
}

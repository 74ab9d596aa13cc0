/** One turn's calls of tools. */
import type { PaidContext } from "../core/context.ts";
import { ToolLoopError } from "../core/errors.ts";
import { together } from "../engine/together.ts";
import { type LoopGuard, repetition } from "./loop-guard.ts";
import { runTool, type Tool, type ToolCall, type ToolResult } from "./tool.ts";

/** What an agent says about its tools. */
export interface ToolUse {
  readonly tools: readonly Tool[];
  /** How often the same tool is run with the same arguments. */
  readonly sameCalls: number;
  /** What is done about a model that goes on in the same way after it was told. */
  readonly onLoop: "fail" | "answer";
}

/**
 * Runs the calls beside one another; what the model gets back, in their order. `isLoop`: it was told that it repeats
 * itself, and did so again.
 *
 * @throws ToolLoopError for a loop, unless the model is to answer with what it has.
 */
export async function toolRound(
  context: PaidContext,
  use: ToolUse,
  guard: LoopGuard,
  calls: readonly ToolCall[],
): Promise<{ readonly results: readonly ToolResult[]; readonly isLoop: boolean }> {
  const verdicts = calls.map((call) => guard.judge(call, use.tools));
  guard.turn(verdicts);
  const again = calls[verdicts.indexOf("stop")];
  if (again !== undefined && use.onLoop === "fail") throw loop(context, use, again);
  // Started in the order the model wrote them: that numbers their operations the same way each time.
  const results = await together(
    calls.map((call, i) =>
      verdicts[i] === "run"
        ? runTool(call, use.tools, context)
        : Promise.resolve({ ok: false, text: repetition(call, use.sameCalls) }),
    ),
  );
  return { results, isLoop: again !== undefined };
}

function loop({ path }: PaidContext, { sameCalls }: ToolUse, call: ToolCall): ToolLoopError {
  return new ToolLoopError(
    `${path} goes round in circles: it called ${call.name} with the same arguments more than ${sameCalls} times, was told so, and did it again`,
    {
      path,
      retryable: true,
      hint: 'Say in the tool\'s description what its results mean; raise sameCalls; give a tool that polls mayRepeat; or take what the model has: onLoop: "answer".',
    },
  );
}

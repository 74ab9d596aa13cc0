import type { Chance } from "../chance.ts";
import type { OperationPlan, Plan, Streaming } from "./plan.ts";
import { rebuilt } from "./rebuilt.ts";

/**
 * A plan some of whose models stream, and some of whose bodies call them through ctx.model. Drawn apart, so that the
 * plan of a seed stays the same but for that.
 */
export function withStreams(plan: Plan, chance: Chance): Plan {
  switch (plan.kind) {
    case "step":
      return { ...plan, operations: plan.operations.map((operation) => operationOf(operation, chance)) };
    case "agent":
      return { ...plan, ...streaming(chance) };
    default:
      return rebuilt(plan, (part) => withStreams(part, chance));
  }
}

function operationOf(operation: OperationPlan, chance: Chance): OperationPlan {
  if (operation.kind !== "generate") return operation;
  const kind = chance.flip() ? "generate" : "model";
  return { kind, name: operation.name, ...streaming(chance) };
}

/** How one model's answers come. */
export function streaming(chance: Chance): Streaming {
  if (chance.flip(0.25)) return {};
  const stream = chance.pick(["repeat", "continue"] as const);
  return chance.flip(0.3) ? { stream } : { stream, cutAfter: chance.whole(0, 6) };
}

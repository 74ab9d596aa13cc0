import type { Chance } from "../chance.ts";
import type { OperationPlan, Plan, Streaming } from "./plan.ts";

/**
 * A plan some of whose models stream, and some of whose bodies call them through ctx.model. Drawn apart, so that the
 * plan of a seed stays the same but for that.
 */
export function withStreams(plan: Plan, chance: Chance): Plan {
  const inside = (part: Plan): Plan => withStreams(part, chance);
  switch (plan.kind) {
    case "step":
      return { ...plan, operations: plan.operations.map((operation) => operationOf(operation, chance)) };
    case "agent":
      return { ...plan, ...streaming(chance) };
    case "sequence":
      return { ...plan, links: plan.links.map(inside) };
    case "parallel": {
      const branches = Object.entries(plan.branches).map(([key, branch]) => [key, inside(branch)]);
      return { ...plan, branches: Object.fromEntries(branches) };
    }
    case "map":
      return { ...plan, each: inside(plan.each) };
    case "branch":
      return { ...plan, keys: plan.keys.map(inside) };
    case "loop":
    case "pipeline":
      return { ...plan, body: inside(plan.body) };
    case "sleep":
    case "human":
    case "event":
      return plan;
    case "fallback":
      return { ...plan, of: inside(plan.of), other: inside(plan.other) };
    default:
      return { ...plan, of: inside(plan.of) };
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

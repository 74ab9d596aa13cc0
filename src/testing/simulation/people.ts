import type { Chance } from "../chance.ts";
import type { HumanPlan, Plan, ToolPlan } from "./plan.ts";
import { rebuilt } from "./rebuilt.ts";

const hourMs = 3_600_000;

/**
 * A plan some of whose people do not answer, at its places or before its tools, some of whose questions are events from
 * outside, and some of whose sleeps are long. Drawn apart, so that the plan of a seed stays the same but for that.
 */
export function withPeople(plan: Plan, chance: Chance): Plan {
  switch (plan.kind) {
    case "human":
      return personOf(plan, chance);
    case "sleep": // the longest timeout around it has six hours
      return chance.flip(0.4) ? { ...plan, ms: chance.pick([61_000, 2 * hourMs, 5 * hourMs]) } : plan;
    case "agent":
      return { ...plan, tools: plan.tools.map((tool) => askedFor(tool, chance)) };
    default:
      return rebuilt(plan, (part) => withPeople(part, chance));
  }
}

const askedFor = (tool: ToolPlan, chance: Chance): ToolPlan =>
  tool.asks
    ? { ...tool, way: chance.pick(["answers", "answers", "default", "escalates", "fails"] as const) }
    : tool;

function personOf(plan: HumanPlan, chance: Chance): Plan {
  const { name } = plan;
  const way = chance.pick(["answers", "answers", "default", "escalates", "fails", "event", "event"] as const);
  if (way === "event") return { kind: "event", name };
  if (way !== "fails") return { ...plan, way };
  const other: HumanPlan = { ...plan, name: `${name}-other` };
  return { kind: "fallback", of: { ...plan, way }, other };
}

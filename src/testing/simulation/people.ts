import type { Chance } from "../chance.ts";
import type { HumanPlan, Plan } from "./plan.ts";

const hourMs = 3_600_000;

/**
 * A plan some of whose people do not answer, some of whose questions are events from outside, and some of whose sleeps are
 * long. Drawn apart, so that the plan of a seed stays the same but for that.
 */
export function withPeople(plan: Plan, chance: Chance): Plan {
  const inside = (part: Plan): Plan => withPeople(part, chance);
  switch (plan.kind) {
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
    case "human":
      return personOf(plan, chance);
    case "sleep": // the longest timeout around it has six hours
      return chance.flip(0.4) ? { ...plan, ms: chance.pick([61_000, 2 * hourMs, 5 * hourMs]) } : plan;
    case "step":
    case "agent":
    case "event":
      return plan;
    case "fallback":
      return { ...plan, of: inside(plan.of), other: inside(plan.other) };
    default:
      return { ...plan, of: inside(plan.of) };
  }
}

function personOf(plan: HumanPlan, chance: Chance): Plan {
  const { name } = plan;
  const way = chance.pick(["answers", "answers", "default", "escalates", "fails", "event", "event"] as const);
  if (way === "event") return { kind: "event", name };
  if (way !== "fails") return { ...plan, way };
  const other: HumanPlan = { ...plan, name: `${name}-other` };
  return { kind: "fallback", of: { ...plan, way }, other };
}

import type { Plan } from "./plan.ts";

/** A plan with each of the plans right inside it put through `change`, in their order. */
export function rebuilt(plan: Plan, change: (part: Plan) => Plan): Plan {
  switch (plan.kind) {
    case "sequence":
      return { ...plan, links: plan.links.map(change) };
    case "parallel": {
      const branches = Object.entries(plan.branches).map(([key, branch]) => [key, change(branch)]);
      return { ...plan, branches: Object.fromEntries(branches) };
    }
    case "map":
      return { ...plan, each: change(plan.each) };
    case "branch":
      return { ...plan, keys: plan.keys.map(change) };
    case "loop":
    case "pipeline":
      return { ...plan, body: change(plan.body) };
    case "step":
    case "agent":
    case "sleep":
    case "human":
    case "event":
      return plan;
    case "fallback":
      return { ...plan, of: change(plan.of), other: change(plan.other) };
    default:
      return { ...plan, of: change(plan.of) };
  }
}

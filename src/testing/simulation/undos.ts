import type { Chance } from "../chance.ts";
import { forever } from "./forever.ts";
import type { Plan, UndoPlan } from "./plan.ts";
import { rebuilt } from "./rebuilt.ts";

/**
 * A plan some of whose places can be undone. Drawn apart, so that the plan of a seed stays the same but for that. What is
 * kept for other runs has no compensation: validation refuses it.
 */
export function withUndos(plan: Plan, chance: Chance): Plan {
  let count = 0;
  const visit = (part: Plan): Plan => {
    if (part.kind === "cached") return part;
    const inner = rebuilt(part, visit);
    if (!isPlace(part) || !chance.flip(0.4)) return inner;
    return { kind: "compensate", of: inner, undo: undoOf(`undo${count++}`, chance) };
  };
  return visit(plan);
}

/** Whether a part has a name of its own: one that another part goes by, too, would be undone twice. */
const isPlace = (part: Plan): boolean =>
  part.kind === "sequence" ? part.links.length > 1 : "name" in part && part.kind !== "sleep";

function undoOf(name: string, chance: Chance): UndoPlan {
  return {
    name,
    ms: chance.pick([0, 0, 40, 5_000]),
    fails: chance.pick([0, 0, 0, 0, 1, 2, forever]),
    calls: chance.flip(0.15),
    asks: chance.flip(0.1),
  };
}

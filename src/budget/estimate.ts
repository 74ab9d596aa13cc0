/**
 * What a pipeline can cost at most, from its tree alone: nothing in it runs. A bound on one agent's calls goes up through
 * all that is around it: attempts, items, turns, branches, budgets. Where there is no bound, it is said why, by name.
 */
import {
  type BranchNode,
  isQualifier,
  type KnownInput,
  links,
  type MapNode,
  type Node,
  nameOf,
} from "../core/node.ts";
import { childPath, itemPath, type Path, undoPath } from "../core/paths.ts";
import { inside, isCompensated } from "../core/tree.ts";
import { maySpend } from "./body-calls.ts";
import {
  type Bound,
  both,
  capped,
  counted,
  either,
  nothing,
  type Opening,
  optional,
  repeated,
  unknown,
} from "./bounds.ts";
import { agentBound, boughtBound, type EstimateFacts } from "./call-bounds.ts";

/** Bounds what one run of the tree can use. The budget around the whole pipeline is left to the caller. */
export async function estimate(root: Node, facts: EstimateFacts): Promise<Bound> {
  const onward = (await bound(root, "", facts.known, facts)).bound;
  if (!isCompensated(root)) return onward;
  const back = (await bound(root, "", undefined, { ...facts, back: true })).bound;
  return both(onward, back);
}

/** `back`: what compensations use is asked for, and nothing else. The budgets of places do not pay for them. */
interface Facts extends EstimateFacts {
  readonly back?: boolean;
}

/** A bound, and what the next place gets where that is known. */
interface Step {
  readonly bound: Bound;
  readonly output?: KnownInput | undefined;
}

async function bound(node: Node, within: Path, known: KnownInput | undefined, facts: Facts): Promise<Step> {
  switch (node.kind) {
    case "sequence": {
      let all: Step = { bound: nothing, output: known };
      for (const link of links(node)) {
        const next = await bound(link, within, all.output, facts);
        all = { bound: both(all.bound, next.bound), output: next.output };
      }
      return all;
    }
    case "retry": {
      const { bound: once } = await bound(node.of, within, known, facts);
      if (facts.back) return { bound: once }; // what is finished is kept between attempts, and undone once
      return { bound: withBudgets(repeated(once, node.attempts, "attempts"), node.of, within) };
    }
    case "fallback": {
      const [first, other] = [
        await bound(node.of, within, known, facts),
        await bound(node.other, within, known, facts),
      ];
      return {
        bound: {
          ...both(first.bound, other.bound),
          must: first.bound.must,
          impossible: first.bound.impossible,
        },
      };
    }
    case "cached": {
      const { bound: missed } = await bound(node.of, within, known, facts);
      return { bound: optional(missed) };
    }
    case "budget": {
      const { bound: inner } = await bound(node.of, within, known, facts);
      return { bound: facts.back ? inner : withBudgets(inner, node, within) };
    }
    case "compensate": {
      const inner = await bound(node.of, within, known, facts);
      if (!facts.back) return inner;
      const path = undoPath(childPath(within, nameOf(node.of)));
      const undo = await bound(node.undo, path, undefined, { ...facts, back: false });
      return { bound: both(inner.bound, optional(undo.bound)) };
    }
    case "timeout":
    case "validate":
      return { bound: (await bound(node.of, within, known, facts)).bound };
    case "sleep":
      return { bound: nothing, output: known };
    case "humanInTheLoop":
    case "waitFor":
      return { bound: nothing };
    case "pipeline": {
      const path = childPath(within, node.name);
      // A schema may make another value of the input; that of the outermost was applied to what is known.
      const given = node.input === undefined || within === "" ? known : undefined;
      return bound(node.body, path, given, facts);
    }
    default:
      return { bound: await boundOfPlace(node, within, known, facts) };
  }
}

type OtherPlace = Exclude<
  Extract<Node, { name: string }>,
  { kind: "pipeline" | "sleep" | "humanInTheLoop" | "waitFor" }
>;

async function boundOfPlace(
  node: OtherPlace,
  within: Path,
  known: KnownInput | undefined,
  facts: Facts,
): Promise<Bound> {
  const path = childPath(within, node.name);
  switch (node.kind) {
    case "step":
      if (facts.back) return nothing;
      if (node.buys !== undefined) return boughtBound(node, path, node.buys(known), facts);
      return maySpend(node.work)
        ? unknown(`${path} may call models in its body, which only running it tells`)
        : nothing;
    case "agent":
      return facts.back ? nothing : agentBound(node, path, known, facts);
    case "mapOver":
      return mapBound(node, path, known, facts);
    case "branchOn":
      return branchBound(node, path, known, facts);
    case "parallel": {
      let all = nothing;
      for (const sub of inside(node, path))
        all = both(all, (await bound(sub.node, sub.within, known, facts)).bound);
      return all;
    }
    case "loopUntil": {
      const first = (await bound(node.body, itemPath(path, ""), known, facts)).bound;
      if (node.maxLoops === 1) return first;
      const later = (await bound(node.body, itemPath(path, ""), undefined, facts)).bound;
      const rest = optional(repeated(later, node.maxLoops - 1, "turns"));
      return retold(both(first, rest), later, node.maxLoops, "turns");
    }
  }
}

/** Says of the lines of a sum that they stand for `n` times what one of it says. */
function retold(sum: Bound, one: Bound, n: number, what: string): Bound {
  const lines = [...sum.lines].map(
    ([key, line]) => [key, { ...line, times: one.lines.get(key)?.times ?? line.times }] as const,
  );
  return counted({ ...sum, lines: new Map(lines) }, n, what);
}

/** More items than this are not looked at one by one. */
const mostItems = 1_000;

async function mapBound(
  node: MapNode,
  path: Path,
  known: KnownInput | undefined,
  facts: Facts,
): Promise<Bound> {
  const each = itemPath(path, "");
  const items =
    node.over === undefined && Array.isArray(known?.input) ? (known.input as readonly unknown[]) : undefined;
  const any = (await bound(node.each, each, undefined, facts)).bound;
  if (items === undefined) {
    const perhaps = optional(any); // there may be none
    if (facts.items !== undefined) return repeated(perhaps, facts.items, "items");
    return counted(eachOpen(perhaps, `${path} has as many items as the list it gets`), undefined, "items");
  }
  if (items.length === 0) return nothing;
  if (items.length > mostItems) return repeated(any, items.length, "items");
  let all = nothing;
  for (const input of items)
    all = both(all, (await bound(node.each, each, { input, state: known?.state }, facts)).bound);
  return retold(all, any, items.length, "items");
}

/** Whatever is used there has no bound; nothing used has none either way. */
function eachOpen(bound: Bound, why: string): Bound {
  if (bound.lines.size === 0 && bound.open.length === 0) return bound;
  const opening: Opening = { why, of: ["picoUsd", "tokens", "calls"] };
  const lines = [...bound.lines].map(
    ([key, line]) => [key, { ...line, open: [...line.open, opening] }] as const,
  );
  return { ...bound, open: [...bound.open, opening], lines: new Map(lines) };
}

async function branchBound(
  node: BranchNode,
  path: Path,
  known: KnownInput | undefined,
  facts: Facts,
): Promise<Bound> {
  const [first = nothing, ...others] = await Promise.all(
    inside(node, path).map(async (sub) => (await bound(sub.node, sub.within, known, facts)).bound),
  );
  return others.reduce(either, first);
}

/** The budgets around a place are one account, however often the place is tried. */
function withBudgets(inner: Bound, node: Node, within: Path): Bound {
  if (within === "") return inner;
  let result = inner;
  for (let at = node; isQualifier(at); at = at.of) {
    if (at.kind !== "budget") continue;
    const held = capped(result, at.limits, childPath(within, nameOf(at.of)));
    // One that makes its place fail halts no run.
    result = at.onLimit === "fail" ? { ...optional(held), impossible: result.impossible } : held;
  }
  return result;
}

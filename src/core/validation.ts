/** What is wrong with a tree, found before anything runs. */
import type { Problem } from "./errors.ts";
import { type CompensateNode, links, type ModelKind, type Node, nameOf, type Place } from "./node.ts";
import { childPath, type Path, undoPath } from "./paths.ts";
import { eachPlace, inside, isCompensated } from "./tree.ts";

/** Every problem of the tree; empty when there is none. */
export function findProblems(node: Node): readonly Problem[] {
  const problems: Problem[] = [];
  inspect(node, "", problems);
  return problems;
}

/** The names of what stands side by side under one path. */
interface Taken {
  readonly places: Set<string>;
  readonly undos: Set<string>;
}

function inspect(node: Node, parent: Path, problems: Problem[]): void {
  visit(node, parent, { places: new Set(), undos: new Set() }, problems);
}

function visit(node: Node, parent: Path, taken: Taken, problems: Problem[]): void {
  switch (node.kind) {
    case "sequence":
      for (const link of links(node)) visit(link, parent, taken, problems);
      return;
    case "fallback": {
      const cycle = fallbackCycle(node);
      if (cycle) {
        const message = `the fallbacks form a cycle: ${cycle.join(" -> ")}. Give the last one no fallback.`;
        problems.push({ code: "fallback-cycle", path: childPath(parent, nameOf(node)), message });
        return;
      }
      visit(node.of, parent, taken, problems);
      visit(node.other, parent, taken, problems);
      return;
    }
    case "retry":
      if (qualifiersOf(node.of).includes("retry")) {
        const message = "retry() is there twice; the attempts would multiply. Keep one.";
        problems.push({ code: "double-retry", path: childPath(parent, nameOf(node)), message });
      }
      visit(node.of, parent, taken, problems);
      return;
    case "cached":
      if (isCompensated(node.of)) problems.push(keptAndUndone(childPath(parent, nameOf(node))));
      visit(node.of, parent, taken, problems);
      return;
    case "timeout":
    case "budget":
    case "validate":
      visit(node.of, parent, taken, problems);
      return;
    case "compensate":
      inspectUndo(node, parent, taken, problems);
      visit(node.of, parent, taken, problems);
      return;
    default: {
      const path = childPath(parent, node.name);
      if (taken.places.has(node.name)) {
        const message = `"${node.name}" names two places side by side; the journal could not tell them apart. Rename one.`;
        problems.push({ code: "duplicate-name", path, message });
      }
      taken.places.add(node.name);
      inspectInside(node, path, problems);
    }
  }
}

function inspectUndo(node: CompensateNode, parent: Path, taken: Taken, problems: Problem[]): void {
  const name = nameOf(node.of);
  const path = childPath(parent, name);
  if (taken.undos.has(name)) {
    const message = `there are two compensations of "${name}". Make them one: a.compensate(first.to(second)).`;
    problems.push({ code: "double-compensation", path, message });
  }
  taken.undos.add(name);
  if ([node.of, node.undo].some((part) => qualifiersOf(part).includes("cached")))
    problems.push(keptAndUndone(path));
  if (isCompensated(node.undo)) {
    const message = "its compensation has one itself; what undoes is not undone. Take the inner one away.";
    problems.push({ code: "nested-compensation", path, message });
  }
  inspect(node.undo, undoPath(path), problems);
}

const keptAndUndone = (path: Path): Problem => ({
  code: "cached-compensation",
  path,
  message:
    "it can be undone, and is kept by cached() for other runs, which would take it for done. Take one of them away.",
});

function inspectInside(place: Place, path: Path, problems: Problem[]): void {
  if (place.kind === "mapOver" && !(Number.isInteger(place.concurrency) && place.concurrency >= 1)) {
    const message = `concurrency is ${place.concurrency}; it takes a whole number from 1.`;
    problems.push({ code: "invalid-concurrency", path, message });
  }
  if (place.kind === "loopUntil" && !(Number.isInteger(place.maxLoops) && place.maxLoops >= 1)) {
    const message = `maxLoops is ${place.maxLoops}; a loop needs an end: a whole number from 1.`;
    problems.push({ code: "unbounded-loop", path, message });
  }
  const trees = inside(place, path);
  if ((place.kind === "parallel" || place.kind === "branchOn") && trees.length === 0) {
    problems.push({ code: "missing-branch", path, message: "there is no branch. Give it at least one." });
  }
  for (const { within, node } of trees) inspect(node, within, problems);
}

function qualifiersOf(node: Node): string[] {
  const kinds: string[] = [];
  for (let inner = node; "of" in inner; inner = inner.of) kinds.push(inner.kind);
  return kinds;
}

/** The names along a fallback chain, when one of them comes twice. */
function fallbackCycle(node: Node): string[] | undefined {
  const chain: string[] = [];
  const seen = new Set<Node>();
  for (const place of fallbackChain(node)) {
    chain.push(nameOf(place));
    if (seen.has(place)) return chain;
    seen.add(place);
  }
  return undefined;
}

function fallbackChain(node: Node): Node[] {
  if (node.kind === "fallback") return [...fallbackChain(node.of), ...fallbackChain(node.other)];
  return "of" in node ? fallbackChain(node.of) : [node];
}

/** A model the tree names, and the place that does. */
export interface NamedModel {
  readonly model: string | object;
  readonly kind: ModelKind | undefined;
  readonly path: Path;
}

/** The models the tree names, each with the place that does. */
export function modelsIn(node: Node): readonly NamedModel[] {
  const found: NamedModel[] = [];
  eachPlace(node, "", (place, path) => {
    if (!("models" in place)) return;
    for (const model of place.models ?? [])
      found.push({ model: place.modelObjects?.[model] ?? model, kind: place.modelKind, path });
  });
  return found;
}

/** Models whose provider nobody knows: neither Flujo nor `own`, the names the author registers. */
export function unknownModels(node: Node, own: readonly string[]): readonly Problem[] {
  const problems: Problem[] = [];
  eachPlace(node, "", (place, path) => {
    if (!("models" in place)) return;
    const known = [...(place.providers ?? []), ...own];
    for (const model of place.models ?? []) {
      if (place.modelObjects?.[model] !== undefined) continue;
      if (known.includes(model.slice(0, Math.max(0, model.indexOf(":"))))) continue;
      const message = `no provider is known for the model "${model}". Write "provider:model"; known are ${known.join(", ")}.`;
      problems.push({ code: "unknown-model", path, message });
    }
  });
  return problems;
}

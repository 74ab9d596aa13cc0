/** Which operations stand inside which, by their paths. */
import type { Path } from "../core/paths.ts";
import type { Operation } from "./operations.ts";

/** The path one part shorter: of `/q3/all[a]/fetch:get#0` it is `/q3/all[a]/fetch`; of `/q3` it is the empty one. */
export function parentPath(path: Path): Path {
  const at = Math.max(
    path.lastIndexOf("/"),
    path.lastIndexOf("["),
    path.lastIndexOf("@"),
    path.lastIndexOf(":"),
  );
  return path.slice(0, Math.max(0, at));
}

/** Outer paths before inner ones, neighbours in the order of their first entry. */
export function* nested(found: ReadonlyMap<Path, Operation>): Generator<Operation> {
  const below = new Map<Path, Path[]>();
  const hung = new Set<Path>();
  for (const path of found.keys()) {
    for (let at = path; at !== "" && !hung.has(at); at = parentPath(at)) {
      hung.add(at);
      const siblings = below.get(parentPath(at));
      if (siblings === undefined) below.set(parentPath(at), [at]);
      else siblings.push(at);
    }
  }
  const rest: Path[] = [""];
  for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
    const operation = found.get(path);
    if (operation !== undefined) yield operation;
    const inner = below.get(path) ?? [];
    for (let i = inner.length - 1; i >= 0; i--) rest.push(inner[i] as Path); // in range
  }
}

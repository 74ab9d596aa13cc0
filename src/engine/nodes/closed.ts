import type { Ref } from "../../core/entries.ts";
import type { Json } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";
import { equal } from "../../core/state.ts";
import type { Frame } from "../frame.ts";
import type { Kept, Value } from "../values.ts";

/** A container that has come to its end. */
interface Closed {
  readonly path: Path;
  readonly kind: string;
  readonly in: Ref;
  readonly out: Ref | readonly Ref[] | { readonly [branch: string]: Ref };
  readonly began: number;
  readonly collect?: boolean;
}

/**
 * A value that a check has put in another's place, recorded when it differs: what comes later refers to it.
 */
export function altered(frame: Frame, path: Path, before: Value, after: Kept): Value {
  if (equal(before.json, after.json) || equal(before.json, after.entry)) return before;
  const { journal, run } = frame.tenure;
  const known = run.alterations.get(path);
  if (known === undefined) frame.stop.check();
  const ref = known ?? journal.put({ type: "value-altered", path, output: after.entry }, after.blob);
  return { json: after.json, ref };
}

/** Notes a container's end (for those who look at the run: nothing waits for it) and hands on its output. */
export function closed(frame: Frame, container: Closed, json: Json): Value {
  const { journal, run, world } = frame.tenure;
  const { began, collect, ...facts } = container;
  const known = run.containers.get(container.path);
  const mark = collect ? ({ collect: true } as const) : {};
  const ref =
    known ?? journal.put({ type: "container-completed", ...facts, ...mark, took: world.now() - began });
  return { json, ref };
}

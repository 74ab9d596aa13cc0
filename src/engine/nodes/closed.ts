import type { Ref } from "../../core/entries.ts";
import type { Json } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";
import type { Frame } from "../frame.ts";
import type { Value } from "../values.ts";

/** A container that has come to its end. */
interface Closed {
  readonly path: Path;
  readonly kind: string;
  readonly in: Ref;
  readonly out: Ref | readonly Ref[] | { readonly [branch: string]: Ref };
  readonly began: number;
  readonly collect?: boolean;
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

import { assign, decode, encode } from "../core/codec.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import { applyPatch, type Branch, diff, type JsonReducers, merge, type Patch } from "../core/state.ts";

/** The state as one line of execution sees it. Branches and map items fork it; a join merges the forks. */
export class StateScope {
  current: Json;

  constructor(current: Json) {
    this.current = current;
  }

  fork(): StateScope {
    return new StateScope(this.current);
  }

  apply(patch: Patch | undefined): void {
    if (patch !== undefined) this.current = applyPatch(this.current, patch);
  }

  /** Takes over the fields that somebody has changed in a state of their own. */
  adopt(before: Json, after: Json): void {
    if (before === after || !isJsonObject(before) || !isJsonObject(after) || !isJsonObject(this.current))
      return;
    const fields = { ...this.current };
    for (const field of Object.keys({ ...before, ...after })) {
      if (before[field] === after[field]) continue;
      if (Object.hasOwn(after, field)) assign(fields, field, after[field] as Json);
      else delete fields[field];
    }
    this.current = fields;
  }

  /** Takes in what branches made of this state, in their declared order. */
  join(branches: readonly Branch[], reducers: JsonReducers, path: Path): void {
    const changed = branches.filter((branch) => branch.state !== this.current);
    if (changed.length > 0) this.current = merge(this.current, changed, reducers, path);
  }

  /** As the author sees it: decoded, frozen, made once for each part that changes. */
  view(): Record<string, unknown> {
    return view(this.current) as Record<string, unknown>;
  }
}

const views = new WeakMap<object, unknown>();
/** Stored parts that are their own view, so that spreading them into new state costs nothing to compare. */
const stored = new WeakMap<object, Json>();

function view(json: Json): unknown {
  if (typeof json !== "object" || json === null) return json;
  const known = views.get(json);
  if (known !== undefined) return known;
  const made = Object.freeze(Array.isArray(json) ? json.map(view) : viewObject(json as JsonObject));
  views.set(json, made);
  if (typeof made === "object" && made !== null) stored.set(made, json);
  return made;
}

function viewObject(json: JsonObject): unknown {
  if ("$type" in json) return decode(json);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(json)) assign(copy, key, view(json[key] as Json));
  return copy;
}

/** The changes an attempt has made to the state, kept apart until it succeeds. */
export class Draft {
  readonly #base: StateScope;
  readonly #what: string;
  #changes: Record<string, unknown> | undefined;
  #view: Record<string, unknown> | undefined;

  constructor(base: StateScope, what: string) {
    this.#base = base;
    this.#what = what;
  }

  view(): Record<string, unknown> {
    if (this.#changes === undefined) return this.#base.view();
    this.#view ??= Object.freeze({ ...this.#base.view(), ...this.#changes });
    return this.#view;
  }

  set(patch: object): void {
    this.#changes = { ...this.#changes, ...patch };
    this.#view = undefined;
  }

  /** The changes as a patch; undefined when there are none. */
  patch(path: Path): Patch | undefined {
    if (this.#changes === undefined) return undefined;
    const base = this.#base.current;
    if (!isJsonObject(base)) return undefined;
    const next: Record<string, Json> = { ...base };
    for (const key of Object.keys(this.#changes)) {
      assign(
        next,
        key,
        encode(this.#changes[key], `state field "${key}" set by ${this.#what}`, path, stored).json,
      );
    }
    const patch = diff(base, next);
    return patch.length === 0 ? undefined : patch;
  }
}

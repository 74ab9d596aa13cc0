import { decode, encode } from "../core/codec.ts";
import type { Json } from "../core/json.ts";
import type { Node } from "../core/node.ts";
import type { JsonReducers, Reducer, Reducers } from "../core/state.ts";
import { eachPlace } from "../core/tree.ts";
import { absent } from "./frame.ts";

/** The reducers that the tree's pipelines declare, over stored forms. */
export function reducersOf(root: Node): JsonReducers {
  const found: Record<string, (current?: Json, incoming?: Json, base?: Json) => Json> = {};
  eachPlace(root, "", (place) => {
    if (place.kind === "pipeline") Object.assign(found, stored(place.reducers ?? {}));
  });
  return found;
}

function stored(reducers: Reducers): JsonReducers {
  const value = (json: Json | undefined): unknown => decode(json ?? absent);
  return Object.fromEntries(
    Object.entries(reducers).map(([field, reducer]) => [
      field,
      (current?: Json, incoming?: Json, base?: Json) => {
        const reduce = reducer as unknown as Reducer; // its field's type is the author's business
        return encode(
          reduce(value(current), value(incoming), value(base)),
          `state field "${field}" made by its reducer`,
        ).json;
      },
    ]),
  );
}

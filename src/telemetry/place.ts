/** What a path says by itself: see `core/paths.ts` for its parts. */
import { enclosing, type Path } from "../core/paths.ts";

/** An operation inside a body: `/q3/ask@2:tool%3Aweather#0` is `tool:weather` of `/q3/ask`. */
export interface OperationPlace {
  readonly owner: Path;
  readonly name: string;
}

export function operationAt(path: Path): OperationPlace | undefined {
  const colon = path.indexOf(":");
  if (colon < 0) return undefined;
  const name = path.slice(colon + 1).replace(/#\d+$/, "");
  return { owner: path.slice(0, colon).replace(/@\d+$/, ""), name: plainName(name) };
}

/** The places around one, the outermost first, without the pipeline itself: `/q3/each`, `/q3/each[k]/inner`. */
export function around(path: Path): readonly Path[] {
  return enclosing(path)
    .slice(1)
    .filter((prefix) => !prefix.endsWith("]") && "/[".includes(path[prefix.length] ?? "."));
}

/** The name a place was given; of a compensation, that of what it undoes. */
export function nameAt(path: Path): string {
  return plainName(path.slice(path.lastIndexOf("/") + 1).replace(/@undo$/, ""));
}

function plainName(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a lone surrogate has no UTF-8
  }
}

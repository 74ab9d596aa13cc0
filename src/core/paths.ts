/**
 * Where an operation stands: `/q3/AnalyseAll[Alpha]/fetch:revenue#0`.
 *
 * | part | stands for |
 * | --- | --- |
 * | `/name` | a place of the tree: a step, agent, container or (sub-)pipeline |
 * | `[key]` | one item of a map, branch of a parallel or branchOn, turn of a loop (from 0) |
 * | `@n` | the n-th attempt of an agent, from 2: its calls are bought anew |
 * | `@undo` | the compensation of the place before it: `/q3/charge@undo/refund` |
 * | `:name#n` | an operation inside a body, and its n-th use of that name (from 0) |
 */
export type Path = string;

const plain = /^[\w .,;!?&+=()-]*$/;
const reserved = /[%/[\]:#@\p{Cc}\p{Cs}]/gu;

/** A name or key as it stands in a path: the characters that structure paths are percent-encoded. */
export function pathSegment(name: string): string {
  if (plain.test(name)) return name; // nearly always
  return name.replace(reserved, (char) =>
    /\p{Cs}/u.test(char)
      ? `%u${char.charCodeAt(0).toString(16)}` // a lone surrogate has no UTF-8
      : encodeURIComponent(char),
  );
}

export const childPath = (parent: Path, name: string): Path => `${parent}/${pathSegment(name)}`;
export const itemPath = (container: Path, key: string): Path => `${container}[${pathSegment(key)}]`;
export const attemptPath = (step: Path, attempt: number): Path => (attempt > 1 ? `${step}@${attempt}` : step);
export const operationPath = (step: Path, name: string, use: number): Path =>
  `${step}:${pathSegment(name)}#${use}`;

/** What the compensation of a place hangs under. No name can end so: `@` is encoded in names. */
export const undoPath = (place: Path): Path => `${place}${undoMark}`;
const undoMark = "@undo";

/** Where the compensation that a path lies in hangs; undefined outside of any. */
export function undoAround(path: Path): Path | undefined {
  const at = path.indexOf(undoMark);
  return at < 0 ? undefined : path.slice(0, at + undoMark.length);
}

/** Whether a path of a manifest is that of a compensation itself. */
export const isUndo = (path: Path): boolean => path.endsWith(undoMark);

/** Whether a path is that of an operation of this name inside a step, in any of its attempts. */
export function isOperationOf(path: Path, step: Path, name: string): boolean {
  if (!path.startsWith(step)) return false;
  const [, operation] = /^(?:@\d+)?:(.*)#\d+$/.exec(path.slice(step.length)) ?? [];
  return operation === pathSegment(name);
}

/** Where the answer to one question of an operation is sent: each question has an address of its own. */
export const questionPath = (operation: Path, seq: number): Path => `${operation}?${seq}`;

/** Which question of an operation an address is of; undefined for other addresses. */
export function seqIn(address: Path): number | undefined {
  const found = /\?(\d+)$/.exec(address);
  return found === null ? undefined : Number(found[1]);
}

/** The path of the operation or place that an address belongs to. */
export const placeOf = (address: Path): Path => address.replace(/\?\d+$/, "");

/**
 * Whether what is sent to `address` is for `path`: they are equal, or the address leaves open which item or turn is
 * meant, as `/p/loop[]/paid` does.
 */
export function isAddressOf(address: Path, path: Path): boolean {
  if (address === path) return true;
  if (!address.includes("[]")) return false;
  const parts = address.split("[]");
  let at = 0;
  for (const [i, part] of parts.entries()) {
    if (!path.startsWith(part, at)) return false;
    at += part.length;
    if (i === parts.length - 1) return at === path.length;
    const key = /^\[[^\]]*\]/.exec(path.slice(at));
    if (key === null) return false;
    at += key[0].length;
  }
  return false;
}

/** Whether `path` is `scope` or lies inside it. */
export function isWithin(path: Path, scope: Path): boolean {
  return (
    path.startsWith(scope) && (path.length === scope.length || "/[:@".includes(path[scope.length] as string))
  );
}

/** The places a path lies in, itself and the outermost first: `/q3`, `/q3/each`, `/q3/each[k]`, `/q3/each[k]/fetch`, ... */
export function enclosing(path: Path): Path[] {
  const ends = [...path.matchAll(/[/[:@]/g)].map(({ index }) => index).filter((index) => index > 0);
  return [...ends, path.length].map((end) => path.slice(0, end));
}

/** Run ids name files and rows: letters, digits, `.`, `_`, `-`; 1 to 128 of them, the first a letter or digit. */
export function isRunId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text);
}

/** The most a part of a pipeline can use, and how such bounds are put together. Integers throughout. */
import { decimalUsd, type Limits, type PicoUsd } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";

/** What is used: money, tokens in and out, calls of models. */
export interface Use {
  readonly picoUsd: PicoUsd;
  readonly tokens: bigint;
  readonly calls: bigint;
}

/** A reason why there is no bound, and on what. A budget around it takes it away. */
export interface Opening {
  readonly why: string;
  readonly of: readonly (keyof Use)[];
}

/** The most one run can use in a part of the tree, as far as that is known. */
export interface Bound {
  /** What is known of it: with `open`, it may be more. */
  readonly use: Use;
  readonly open: readonly Opening[];
  /** What a run that gets there cannot do without: the dearest of the smallest calls, and how many there are at least. */
  readonly must: Use;
  /** Budgets of places that cannot pay for the smallest call inside, in words. */
  readonly impossible: readonly string[];
  readonly lines: ReadonlyMap<string, Line>;
}

/** One agent and one of its models. */
export interface Line {
  readonly place: Path;
  readonly model: string;
  /** One call; its cost is undefined without a price. Of several with other inputs: the largest. */
  readonly call: {
    readonly inputTokens: number;
    readonly unknown: readonly string[];
    readonly outputTokens: number;
    readonly picoUsd: PicoUsd | undefined;
  };
  /** What the calls are multiplied by, inner things first. */
  readonly times: readonly Times[];
  readonly use: Use;
  readonly open: readonly Opening[];
}

/** `3 attempts`; of how many is not known: `items`. */
export interface Times {
  readonly what: string;
  readonly n: number | undefined;
}

const noUse: Use = { picoUsd: 0n, tokens: 0n, calls: 0n };
export const nothing: Bound = { use: noUse, open: [], must: noUse, impossible: [], lines: new Map() };

/** Nobody knows what it uses. */
export const unknown = (why: string): Bound => ({
  ...nothing,
  open: [{ why, of: ["picoUsd", "tokens", "calls"] }],
});

/** Both are done. */
export function both(a: Bound, b: Bound): Bound {
  return {
    use: zip(a.use, b.use, (x, y) => x + y),
    open: merged(a.open, b.open),
    must: { ...zip(a.must, b.must, larger), calls: a.must.calls + b.must.calls },
    impossible: [...new Set([...a.impossible, ...b.impossible])],
    lines: mergedLines(a.lines, b.lines),
  };
}

/** One of them is done. */
export function either(a: Bound, b: Bound): Bound {
  return {
    ...both(a, b),
    use: zip(a.use, b.use, larger),
    must: zip(a.must, b.must, smaller),
    impossible: a.impossible.length > 0 && b.impossible.length > 0 ? [...a.impossible, ...b.impossible] : [],
  };
}

/** Perhaps it is not done at all. */
export const optional = (bound: Bound): Bound => ({ ...bound, must: noUse, impossible: [] });

/** Done up to so many times, and once at least. */
export function repeated(bound: Bound, n: number, what: string): Bound {
  const many = BigInt(n);
  const scale = (use: Use): Use => ({
    picoUsd: use.picoUsd * many,
    tokens: use.tokens * many,
    calls: use.calls * many,
  });
  const lines = new Map([...bound.lines].map(([key, line]) => [key, { ...line, use: scale(line.use) }]));
  return counted({ ...bound, use: scale(bound.use), lines }, n, what);
}

/** Says of lines that they stand for several times. */
export function counted(bound: Bound, n: number | undefined, what: string): Bound {
  if (n === 1) return bound;
  const lines = [...bound.lines].map(
    ([key, line]) => [key, { ...line, times: [...line.times, { what, n }] }] as const,
  );
  return { ...bound, lines: new Map(lines) };
}

/** Not more than a budget allows: what would be is refused. */
export function capped(bound: Bound, { picoUsd, tokens, calls }: Limits, place: Path): Bound {
  const limits: Partial<Use> = {
    ...(picoUsd === undefined ? {} : { picoUsd: BigInt(picoUsd) }),
    ...(tokens === undefined ? {} : { tokens: BigInt(tokens) }),
    ...(calls === undefined ? {} : { calls: BigInt(calls) }),
  };
  const binds = (kind: keyof Use): boolean => {
    const limit = limits[kind];
    return limit !== undefined && (isOpen(bound, kind) || bound.use[kind] > limit);
  };
  // A call whose answer the budget cuts short may be made a second time.
  const again = binds("picoUsd") || binds("tokens") ? 2n : 1n;
  const wanted: Use = { ...bound.use, calls: bound.use.calls * again };
  const cap = (kind: keyof Use): bigint => {
    const limit = limits[kind];
    return limit !== undefined && (isOpen(bound, kind) || wanted[kind] > limit) ? limit : wanted[kind];
  };
  const short = shortage(bound.must, limits);
  return {
    ...bound,
    use: { picoUsd: cap("picoUsd"), tokens: cap("tokens"), calls: cap("calls") },
    open: bound.open.flatMap(({ why, of }) => {
      const left = of.filter((kind) => limits[kind] === undefined);
      return left.length === 0 ? [] : [{ why, of: left }];
    }),
    impossible:
      short === undefined ? bound.impossible : [...bound.impossible, `the budget of ${place} ${short}`],
  };
}

/** Whether there is no bound on it. */
export const isOpen = ({ open }: Pick<Bound, "open">, kind: keyof Use): boolean =>
  open.some(({ of }) => of.includes(kind));

/** Which limit cannot pay for what must be, in words; undefined when all can. */
export function shortage(must: Use, limits: Partial<Use>): string | undefined {
  const { picoUsd, tokens, calls } = limits;
  if (picoUsd !== undefined && must.picoUsd > picoUsd)
    return `is $${decimalUsd(picoUsd)}, and one call in it reserves at least $${decimalUsd(must.picoUsd)}`;
  if (tokens !== undefined && must.tokens > tokens)
    return `is ${tokens} tokens, and one call in it reserves at least ${must.tokens}`;
  if (calls !== undefined && must.calls > calls)
    return `is ${calls} calls, and there are at least ${must.calls} in it`;
  return undefined;
}

const zip = (a: Use, b: Use, join: (x: bigint, y: bigint) => bigint): Use => ({
  picoUsd: join(a.picoUsd, b.picoUsd),
  tokens: join(a.tokens, b.tokens),
  calls: join(a.calls, b.calls),
});
const larger = (x: bigint, y: bigint): bigint => (x > y ? x : y);
const smaller = (x: bigint, y: bigint): bigint => (x < y ? x : y);

/** Each reason once. */
function merged(a: readonly Opening[], b: readonly Opening[]): readonly Opening[] {
  if (b.length === 0) return a;
  const of = new Map<string, readonly (keyof Use)[]>();
  for (const opening of [...a, ...b])
    of.set(opening.why, [...new Set([...(of.get(opening.why) ?? []), ...opening.of])]);
  return [...of].map(([why, kinds]) => ({ why, of: kinds }));
}

function mergedLines(a: Bound["lines"], b: Bound["lines"]): Bound["lines"] {
  if (a.size === 0 || b.size === 0) return a.size === 0 ? b : a;
  const lines = new Map(a);
  for (const [key, line] of b) {
    const known = lines.get(key);
    lines.set(key, known === undefined ? line : joined(known, line));
  }
  return lines;
}

function joined(a: Line, b: Line): Line {
  const isLarger = b.call.unknown.length > 0 || b.call.inputTokens > a.call.inputTokens;
  return {
    ...a,
    call: isLarger ? b.call : a.call,
    use: zip(a.use, b.use, (x, y) => x + y),
    open: merged(a.open, b.open),
  };
}

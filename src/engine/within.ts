/** Runs that are advanced for a limited time: how much of it is for what, and which of them get it. */
import { milliseconds } from "../core/duration.ts";
import { FlujoError, InvalidOptionError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import type { Advanced, AdvanceOptions, Swept } from "./options.ts";
import type { StintTerms } from "./stint.ts";
import { abandonedRuns } from "./take-over.ts";

/** The time that was given, from a moment on. */
export interface Allotment {
  /** When it began, and when what is under way is cut off, in milliseconds since 1970. */
  readonly began: number;
  readonly endsAt: number;
  readonly lastWordMs: number;
  readonly leastMs: number;
}

/** The shortest time, and the longest part of it that giving a run up may take, in milliseconds. */
const shortestMs = 1_000;
const longestHandOverMs = 1_000;

/** @throws InvalidOptionError for a time that is too short, or shorter than the least. */
export function allotted({ within, least }: AdvanceOptions, began: number): Allotment {
  const ms = milliseconds(within);
  if (ms < shortestMs) {
    throw new InvalidOptionError(`${within} is too short a time to advance runs in`, {
      hint: 'It takes at least "1s".',
    });
  }
  const leastMs = least === undefined ? ms / 2 : milliseconds(least);
  if (leastMs > ms) {
    throw new InvalidOptionError(`least is ${least}, and within is ${within}: nothing would ever begin`, {
      hint: "Leave it out: then it is half the time.",
    });
  }
  const handOverMs = Math.min(longestHandOverMs, ms / 10);
  return { began, endsAt: began + ms - handOverMs, lastWordMs: handOverMs / 2, leastMs };
}

/** What a run gets of it that is entered now. One that comes late may have better luck another time. */
export function stintOf({ began, endsAt, lastWordMs, leastMs }: Allotment, now: number): StintTerms {
  const wholeMs = endsAt - began;
  return { endsAt, lastWordMs, wholeMs, leastMs, isAll: now - began <= wholeMs / 10 };
}

export interface SweepParts<Out> {
  readonly store: Store;
  readonly world: World;
  readonly pipeline: string;
  readonly time: Allotment;
  /** Runs at once. */
  readonly most: number;
  readonly advance: (runId: string) => Promise<Advanced<Out>>;
}

/** Advances what nobody attends to, each run once, for as long as there is time to begin something. */
export async function sweep<Out>({
  store,
  world,
  pipeline,
  time,
  most,
  advance,
}: SweepParts<Out>): Promise<Swept<Out>> {
  const runs: Advanced<Out>[] = [];
  const refused: Swept<Out>["refused"][number][] = [];
  const seen = new Set<string>();
  const underWay = new Set<Promise<void>>();
  const open = async (): Promise<string[]> => {
    const due = { status: ["waiting"], pipeline, dueBefore: world.now(), limit: 1_000 } as const;
    const waiting = (await store.list(due)).map(({ runId }) => runId);
    return [...(await abandonedRuns(store, world, pipeline, seen)), ...waiting.filter((id) => !seen.has(id))];
  };
  const take = async (runId: string): Promise<void> => {
    try {
      runs.push(await advance(runId));
    } catch (error) {
      if (!FlujoError.isInstance(error)) throw error;
      if (error.code !== "lease-held") refused.push({ runId, error }); // else somebody is about it
    }
  };
  for (;;) {
    const isLate = time.endsAt - world.now() < time.leastMs;
    const next = isLate ? [] : (await open()).slice(0, most - underWay.size);
    for (const runId of next) {
      seen.add(runId);
      const taken = take(runId).finally(() => underWay.delete(taken));
      underWay.add(taken);
    }
    if (underWay.size === 0) break;
    await Promise.race(underWay);
  }
  const now = world.now();
  const isOpen = ({ more, until }: Advanced<Out>): boolean => more && (until?.getTime() ?? now) <= now;
  return { runs, refused, more: runs.some(isOpen) || (await open()).length > 0 };
}

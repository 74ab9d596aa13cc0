import { FlujoError } from "../core/errors.ts";
import type { Delivery } from "../ports/sink.ts";
import type { World } from "../ports/world.ts";
import type { Route } from "./subscription.ts";

/** What came of one try. `left`: this process ended it, and it counts for nothing. */
export type Outcome =
  | { readonly outcome: "delivered" | "left" }
  | { readonly outcome: "failed"; readonly why: string; readonly afterMs?: number | undefined }
  | { readonly outcome: "refused"; readonly why: string };

/** At most so many characters of why something failed. */
const longestWhy = 300;

/** Hands a delivery to a sink once. Whatever the sink does, this comes back in time. */
export async function attempt(
  route: Route,
  delivery: Delivery,
  world: World,
  leaving: AbortSignal,
): Promise<Outcome> {
  if (leaving.aborted) return { outcome: "left" };
  const stop = new AbortController();
  const { promise: given, resolve: giveUp } = Promise.withResolvers<Outcome>();
  const late = `${route.sink.name} did not answer within ${route.timeoutMs} ms`;
  const offTimer = world.timer(route.timeoutMs, () => giveUp({ outcome: "failed", why: late }));
  const leave = (): void => giveUp({ outcome: "left" });
  leaving.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([given, delivered(route, delivery, stop.signal)]);
  } finally {
    offTimer();
    leaving.removeEventListener("abort", leave);
    stop.abort();
  }
}

async function delivered(route: Route, delivery: Delivery, signal: AbortSignal): Promise<Outcome> {
  try {
    await route.sink.deliver(delivery, signal);
    return { outcome: "delivered" };
  } catch (error) {
    const why = whyOf(error);
    if (!FlujoError.isInstance(error)) return { outcome: "failed", why };
    const afterMs = "retryAfterMs" in error ? Number(error.retryAfterMs ?? 0) : 0;
    return error.retryable ? { outcome: "failed", why, afterMs } : { outcome: "refused", why };
  }
}

/** What was thrown, in one line. */
export function whyOf(thrown: unknown): string {
  const text = FlujoError.isInstance(thrown)
    ? [thrown.message, thrown.hint].filter(Boolean).join(". ")
    : String(thrown);
  const line = text.toWellFormed().replace(/\s+/g, " ").trim();
  return line.length <= longestWhy ? line : `${line.slice(0, longestWhy - 1).toWellFormed()}…`;
}

const firstWaitMs = 1_000;
const longestWaitMs = 3_600_000;

/** How long to wait after so many tries that failed: twice as long each time, somewhere in the later half of that. */
export function backoff(attempts: number, random: number, afterMs = 0): number {
  const most = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(30, attempts - 1));
  return Math.max(afterMs, Math.round(most * (0.5 + random / 2)));
}

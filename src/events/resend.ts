import { attempt, type Outcome } from "./attempt.ts";
import type { Roads } from "./courier.ts";
import { changeLetter, dropLetter, type StandingLetter } from "./dead-letter.ts";
import { Story } from "./story.ts";
import type { Route } from "./subscription.ts";

/** What came of sending a dead letter again. `busy`: somebody else is about it. `lost`: the run is no longer in the store. */
export type Resent =
  | { readonly outcome: "delivered" | "busy" | "lost" }
  | { readonly outcome: "failed"; readonly why: string };

const marginMs = 10_000;

/** Sends a dead letter once more, under the id it had. Delivered, it is none any more; otherwise it stays, with one more try. */
export async function resend(letter: StandingLetter, route: Route, roads: Roads): Promise<Resent> {
  const { store, world, leaving, linksFor } = roads;
  if ((letter.until ?? 0) > world.now()) return { outcome: "busy" };
  const [entry] = (await store.read(letter.runId, letter.seq, 1)) ?? [];
  if (entry === undefined) return { outcome: "lost" };
  const { id, type, path, attempts: before, at, why } = letter;
  const attempts = before + 1;
  const until = world.now() + route.timeoutMs + marginMs;
  const mine = await changeLetter(store, letter, { id, type, path, attempts: before, at, why, until });
  if (mine === undefined) return { outcome: "busy" };
  const delivery = await new Story(store, letter.runId, linksFor).delivery(route.name, entry, attempts);
  const outcome = await attempt(route, delivery, world, leaving);
  if (outcome.outcome === "delivered") {
    await dropLetter(store, mine);
    return { outcome: "delivered" };
  }
  const now = reason(outcome) ?? why;
  await changeLetter(store, mine, { id, type, path, attempts, at: world.now(), why: now });
  return { outcome: "failed", why: now };
}

const reason = (outcome: Outcome): string | undefined => ("why" in outcome ? outcome.why : undefined);

/** What a claim of the contract is, and what all of them look at. */

import type { Step } from "flujo";
import { expect } from "vitest";
import type { WireFault, WireServerOptions } from "../../src/testing/wire/server.ts";
import { handClock } from "./hand-clock.ts";
import { inDoubt, type Played, type Stage } from "./stage.ts";
import { type Capability, secret } from "./subjects.ts";

export interface Claim {
  readonly capability: Capability;
  readonly title: string;
  readonly server?: WireServerOptions;
  prove(on: Stage): Promise<void>;
}

export const outputOf = ({ result }: Played<unknown>): unknown =>
  result.status === "completed" ? result.output : result;

/** Flujo's account of a run is the server's bill, to the pico-dollar. */
export function expectExact({ result }: Played<unknown>, { server }: Stage): void {
  expect(server.billedPicoUsd).toBeGreaterThan(0n);
  expect(result.spent.picoUsd).toBe(server.billedPicoUsd);
}

export const first =
  (fault: WireFault) =>
  ({ index }: { readonly index: number }): WireFault | undefined =>
    index === 0 ? fault : undefined;

/** A step that buys one thing, in one call. */
type Buying = (on: Stage) => Step<string, unknown>;

export const waitsOut = (capability: Capability, buying: Buying): Claim => ({
  capability,
  title: "a 429 is waited out at no cost",
  server: { fault: first("rate-limit"), retryAfterSeconds: 77 },
  async prove(on) {
    const clock = handClock();
    const played = await clock.play(on.play(buying(on), { clock }));
    expect(outputOf(played)).toHaveLength(1);
    expect(clock.waits).toContain(77_000);
    expect(inDoubt(played.journal)).toBe(0n);
    expectExact(played, on);
  },
});

export const hidesKey = (capability: Capability, buying: Buying): Claim => ({
  capability,
  title: "the key goes into no error and no journal",
  server: {
    fault: () => "unauthorised",
    message: ({ headers }) => `no access with ${JSON.stringify(headers)}`,
  },
  async prove(on) {
    const { result, journal } = await on.play(buying(on));
    expect([secret, `Bearer ${secret}`]).toContain(on.server.requests[0]?.headers[on.subject.keyHeader]);
    expect(result).toMatchObject({ status: "failed", error: { message: expect.stringContaining("401") } });
    const told = result.status === "failed" ? [result.error.message, result.error.hint] : [];
    expect(JSON.stringify([journal, told])).not.toContain(secret);
    expect(result.spent.picoUsd).toBe(0n);
  },
});

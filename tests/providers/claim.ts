/** What a claim of the contract is, and what all of them look at. */
import { expect } from "vitest";
import type { WireFault, WireServerOptions } from "../../src/testing/wire/server.ts";
import type { Played, Stage } from "./stage.ts";
import type { Capability } from "./subjects.ts";

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

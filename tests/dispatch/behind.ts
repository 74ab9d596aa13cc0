/** A dispatcher to be tested, whose servers are reached through gates. */
import type { Dispatcher } from "../../src/ports/dispatcher.ts";
import type { DispatcherUnderTest } from "../../src/testing/test-dispatcher.ts";
import { type Gate, gateTo } from "../servers/gate.ts";

/** How often it looks, in milliseconds, and how long it waits for an answer. */
interface Pace {
  readonly pollMs: number;
  readonly restMs: number;
  readonly patience?: "1s";
}

const often: Pace = { pollMs: 50, restMs: 500 };
const hour = 3_600_000;

/** @param join one that reaches its servers at these addresses. */
export async function behind(
  servers: readonly string[],
  join: (urls: readonly string[], pace: Pace) => Dispatcher,
): Promise<DispatcherUnderTest> {
  const gates = await Promise.all(servers.map(gateTo));
  const others: Gate[] = [];
  const urlsOf = (all: readonly Gate[]): string[] => all.map(({ url }) => url);
  const shut = async (): Promise<void> => void (await Promise.all(gates.map((gate) => gate.shut())));
  return {
    join: () => join(urlsOf(gates), often),
    told: () => join(urlsOf(gates), { pollMs: hour, restMs: hour }),
    async away() {
      await shut();
      return async () => void (await Promise.all(gates.map((gate) => gate.open())));
    },
    async far() {
      const own = await Promise.all(servers.map(gateTo));
      others.push(...own);
      return {
        dispatcher: join(urlsOf(own), { ...often, patience: "1s" }),
        async swallow() {
          for (const gate of own) gate.swallow();
          return async () => void (await Promise.all(own.map((gate) => gate.open())));
        },
      };
    },
    dispose: async () => void (await Promise.all([shut(), ...others.map((gate) => gate.shut())])),
  };
}

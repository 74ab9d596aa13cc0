import { type Duration, milliseconds } from "../core/duration.ts";
import type { EntryType } from "../core/entries.ts";
import { InvalidOptionError } from "../core/errors.ts";
import type { Delivery, Sink } from "../ports/sink.ts";

/** What a sink is told, and how long it is tried. */
export interface Subscription {
  readonly to: Sink;
  /** Which events. Default: {@link mainEvents}. `"all"`: every entry of the journal, pieces of streams included. */
  readonly events?: readonly EntryType[] | "all";
  /** Only runs of these pipelines, by name. Default: all. */
  readonly pipelines?: readonly string[];
  /** Only deliveries for which it returns true. It must not wait for anything; one that throws makes a dead letter. */
  readonly where?: (delivery: Delivery) => boolean;
  /** Tries of one event, from 1. Default 15: an hour or so apart in the end. */
  readonly attempts?: number;
  /** No try after so long since the first one. Default `"1d"`. */
  readonly giveUpAfter?: Duration;
  /** How long a sink may take over one try, from `"1ms"`. Default `"10s"`. */
  readonly timeout?: Duration;
}

/** Sinks by name: 1 to 64 letters, digits, `.`, `_`, `-`. The name is what a sink's place in each journal is kept by. */
export type Sinks = { readonly [name: string]: Sink | Subscription };

/** What sinks are told unless they ask for more: how a run stands, what could not be undone, what it asks of people, its money. */
export const mainEvents: readonly EntryType[] = [
  "run-completed",
  "run-failed",
  "run-halted",
  "run-cancelled",
  "compensation-failed",
  "signal-awaited",
  "signal-escalated",
  "budget-threshold",
  "budget-breached",
];

/** A subscription whose options have been read. */
export interface Route {
  readonly name: string;
  readonly sink: Sink;
  wants(type: EntryType): boolean;
  wantsPipeline(pipeline: string): boolean;
  readonly where: (delivery: Delivery) => boolean;
  readonly attempts: number;
  readonly giveUpAfterMs: number;
  readonly timeoutMs: number;
}

/** @throws InvalidOptionError naming the sink, and what of it cannot be read. */
export function routesOf(sinks: Sinks): readonly Route[] {
  return Object.entries(sinks).map(([name, given]) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
      throw new InvalidOptionError(`"${name}" is no name of a sink`, {
        hint: "Use 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit.",
      });
    }
    return routeOf(name, "to" in given ? given : { to: given });
  });
}

function routeOf(name: string, subscription: Subscription): Route {
  const { to: sink, events = mainEvents, pipelines, attempts = 15 } = subscription;
  if (typeof sink?.deliver !== "function") {
    throw new InvalidOptionError(`the sink "${name}" is none`, {
      hint: 'Make one: webhook({ url, secret }) of "flujo/sinks".',
    });
  }
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new InvalidOptionError(
      `attempts of the sink "${name}" is ${attempts}; it takes a whole number from 1`,
    );
  }
  const timeoutMs = milliseconds(subscription.timeout ?? "10s");
  if (timeoutMs < 1)
    throw new InvalidOptionError(`timeout of the sink "${name}" is 0; it takes at least 1ms`);
  const wanted = events === "all" ? undefined : new Set(events);
  return {
    name,
    sink,
    wants: (type) => wanted?.has(type) ?? true,
    wantsPipeline: (pipeline) => pipelines?.includes(pipeline) ?? true,
    where: subscription.where ?? (() => true),
    attempts,
    giveUpAfterMs: milliseconds(subscription.giveUpAfter ?? "1d"),
    timeoutMs,
  };
}

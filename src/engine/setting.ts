/** What holds for all runs of a `Flujo`. */
import { milliseconds } from "../core/duration.ts";
import type { Entry } from "../core/entries.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { limitsOf } from "../core/limits.ts";
import { percents, scopeRecord } from "../core/scopes.ts";
import type { Instrument } from "../ports/instrument.ts";
import { oneInstrument } from "./instrumented.ts";
import type { EngineOptions, VersionPolicy } from "./options.ts";
import type { Root } from "./root.ts";

export interface Setting<State> {
  readonly root: Root;
  readonly options: EngineOptions<State>;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly awakeMs: number;
  /** Whether this process is told of what is sent to its runs. */
  readonly isTold: () => boolean;
  readonly instrument: Instrument | undefined;
  readonly onCommit: (runId: string, entries: readonly Entry[]) => void;
}

/** @throws InvalidOptionError */
export function settingOf<State>(
  root: Root,
  options: EngineOptions<State>,
  { isTold, onCommit }: Pick<Setting<State>, "isTold" | "onCommit">,
): Setting<State> {
  if (typeof options.store?.commit !== "function") {
    throw new InvalidOptionError("the store Flujo was given is none", {
      hint: 'Make one: sqlite(".flujo/flujo.db") of "flujo/sqlite".',
    });
  }
  const ttlMs = milliseconds(options.lease ?? "15s");
  if (ttlMs < 1_000) throw new InvalidOptionError(`lease is ${options.lease}; it takes at least 1s`);
  if (options.budget !== undefined) limitsOf(options.budget);
  options.scopes?.forEach(scopeRecord);
  percents(options.alertAt);
  if (options.version !== undefined) checkPolicy(options.version);
  return {
    root,
    options,
    ttlMs,
    graceMs: milliseconds(options.grace ?? "30s"),
    awakeMs: milliseconds(options.awake ?? "1m"),
    isTold,
    instrument: oneInstrument(options.instrument),
    onCommit,
  };
}

/** @throws InvalidOptionError */
export function checkPolicy(version: VersionPolicy): void {
  if (["strict", "compatible", "force"].includes(version)) return;
  throw new InvalidOptionError(`version is ${JSON.stringify(version)}`, {
    hint: 'It takes "strict", "compatible" or "force".',
  });
}

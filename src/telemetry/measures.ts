/** The same facts as figures: counters and histograms, from the entries this process writes. */
import type { Attributes, Counter, Histogram, Meter, UpDownCounter } from "@opentelemetry/api";
import type { Entry } from "../core/entries.ts";
import { dollars } from "./attributes.ts";
import type { Call } from "./calls.ts";
import {
  convention,
  durationBuckets,
  metricNames,
  modelWords,
  operations,
  own,
  tokenBuckets,
} from "./conventions.ts";
import type { Dispatched } from "./dispatched.ts";
import { nameAt } from "./place.ts";

export class Measures {
  readonly #tokens: Histogram;
  readonly #calls: Histogram;
  readonly #active: UpDownCounter;
  readonly #started: Counter;
  readonly #resumed: Counter;
  readonly #ended: Counter;
  readonly #steps: Histogram;
  readonly #dispatched: Histogram;
  readonly #retries: Counter;
  readonly #cost: Counter;
  readonly #refusals: Counter;
  readonly #thresholds: Counter;
  readonly #breaches: Counter;
  readonly #waits: Counter;
  readonly #cacheHits: Counter;

  constructor(meter: Meter) {
    const seconds = { unit: "s", advice: { explicitBucketBoundaries: durationBuckets } };
    const tokens = { unit: "{token}", advice: { explicitBucketBoundaries: tokenBuckets } };
    const counter = (name: string, unit: string, description: string): Counter =>
      meter.createCounter(name, { unit, description });
    this.#tokens = meter.createHistogram(metricNames.tokenUsage, {
      ...tokens,
      description: "Tokens a model call has used",
    });
    this.#calls = meter.createHistogram(metricNames.callDuration, {
      ...seconds,
      description: "How long model calls take",
    });
    this.#steps = meter.createHistogram("flujo.step.duration", {
      ...seconds,
      description: "How long attempts of steps and agents take",
    });
    this.#dispatched = meter.createHistogram("flujo.dispatch.duration", {
      ...seconds,
      description: "How long submitted runs wait for a process",
    });
    this.#active = meter.createUpDownCounter("flujo.runs.active", {
      unit: "{run}",
      description: "Runs this process advances now",
    });
    this.#started = counter("flujo.runs.started", "{run}", "Runs begun");
    this.#resumed = counter("flujo.runs.resumed", "{run}", "Runs gone on with, or taken over");
    this.#ended = counter("flujo.runs.ended", "{run}", "Runs that came to stand, by how");
    this.#retries = counter("flujo.retries", "{retry}", "Further tries that were scheduled");
    this.#cost = counter("flujo.cost", "USD", "What calls have cost");
    this.#refusals = counter("flujo.budget.refusals", "{refusal}", "Times a budget said no");
    this.#thresholds = counter("flujo.budget.thresholds", "{threshold}", "Parts of limits that were reached");
    this.#breaches = counter(
      "flujo.budget.breaches",
      "{breach}",
      "Calls billed beyond what they were allowed",
    );
    this.#waits = counter("flujo.waits", "{wait}", "Times a run began to wait for a person or a signal");
    this.#cacheHits = counter("flujo.cache.hits", "{hit}", "Steps whose result was kept from an earlier run");
  }

  entered(pipeline: string): void {
    this.#active.add(1, { [own.pipeline]: pipeline });
  }

  left(pipeline: string): void {
    this.#active.add(-1, { [own.pipeline]: pipeline });
  }

  /** A run that was submitted has begun. */
  dispatched({ queue, waitedMs }: Dispatched, pipeline: string): void {
    this.#dispatched.record(waitedMs / 1_000, { [own.pipeline]: pipeline, [own.queue]: queue });
  }

  entry(entry: Entry, pipeline: string): void {
    const which: Attributes = { [own.pipeline]: pipeline };
    switch (entry.type) {
      case "run-created":
        this.#started.add(1, which);
        return;
      case "run-resumed":
        this.#resumed.add(1, { ...which, [own.resumed]: entry.why });
        return;
      case "run-completed":
      case "run-failed":
      case "run-halted":
      case "run-waiting":
      case "run-cancelled":
        this.#ended.add(1, { ...which, [own.status]: entry.type.slice("run-".length) });
        if (entry.type === "run-halted") this.#refusals.add(1, which);
        return;
      case "step-completed":
        if (entry.cached) this.#cacheHits.add(1, which);
        else this.#step(entry, which);
        return;
      case "step-failed":
        this.#step(entry, { ...which, [convention.errorType]: entry.error.code });
        if (entry.error.code === "budget-exceeded") this.#refusals.add(1, which);
        return;
      case "retry-scheduled":
        this.#retries.add(1, which);
        return;
      case "budget-threshold":
        this.#thresholds.add(1, { ...which, "flujo.percent": entry.percent });
        return;
      case "budget-breached":
        this.#breaches.add(1, which);
        return;
      case "signal-awaited":
        this.#waits.add(1, which);
        return;
      default:
        return;
    }
  }

  /** A call that the last word has been said about. */
  call({ kind, model, asked, start, end, amount, inDoubt, answer, error }: Call, pipeline: string): void {
    const cost = amount === undefined ? 0 : dollars(BigInt(amount.picoUsd));
    if (kind !== "model-call") {
      if (cost > 0) this.#cost.add(cost, { [own.pipeline]: pipeline });
      return;
    }
    const words = modelWords(model);
    const which: Attributes = {
      [convention.operation]: operations[asked],
      [convention.provider]: words.provider,
      [convention.requestModel]: words.model,
    };
    if (cost > 0) this.#cost.add(cost, { ...which, [own.pipeline]: pipeline });
    if (amount !== undefined && !inDoubt) {
      const record = (count: number, type: string): void =>
        this.#tokens.record(count, { ...which, [convention.tokenType]: type });
      if (asked !== "images") record(amount.inputTokens, "input");
      if (asked === "chat") record(amount.outputTokens, "output");
    }
    if (end === undefined) return;
    const failure = answer === undefined ? { [convention.errorType]: error ?? "_OTHER" } : {};
    this.#calls.record((end - start) / 1_000, { ...which, ...failure });
  }

  #step(
    { path, kind, took = 0 }: { readonly path: string; readonly kind: string; readonly took?: number },
    which: Attributes,
  ): void {
    this.#steps.record(took / 1_000, { ...which, [own.step]: nameAt(path), [own.kind]: kind });
  }
}

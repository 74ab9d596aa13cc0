/**
 * The models of an agent in the order they are asked: the first until a call of it fails for good, then the next; a
 * cheaper one once the budget runs low. Each choice is recorded, so that an agent that is run again makes it again.
 */
import type { PaidContext, Quote, Remaining } from "../core/context.ts";
import { decimalUsd } from "../core/limits.ts";
import type { Answer } from "./call.ts";
import type { Message } from "./messages.ts";
import type { PricedModel } from "./priced-model.ts";

/** Whom an agent asks. */
export interface Models {
  readonly priced: PricedModel;
  /** Asked when the one before has failed for good. */
  readonly others?: readonly PricedModel[];
  readonly degradeTo?: Degrading | undefined;
  /** Tells the model, in the system prompt, what is left of the budget. */
  readonly showBudget?: boolean | undefined;
}

/** The model that takes over when less than this share of the tightest cost limit is left. */
export interface Degrading {
  readonly priced: PricedModel;
  /** From 0 to 1. */
  readonly below: number;
}

/** How one model is asked, and what that may cost. */
export interface Asking {
  readonly ask: (priced: PricedModel, callName: string, messages: readonly Message[]) => Promise<Answer>;
  readonly quote: (priced: PricedModel, messages: readonly Message[]) => Quote;
}

export class Lineup {
  readonly #context: PaidContext;
  readonly #models: Models;
  readonly #callName: string;
  readonly #asking: Asking;
  /** Those that are left, the one that is asked first. */
  #left: readonly PricedModel[];
  #isDegraded = false;

  constructor(context: PaidContext, models: Models, callName: string, asking: Asking) {
    this.#context = context;
    this.#models = models;
    this.#callName = callName;
    this.#asking = asking;
    this.#left = [models.priced, ...(models.others ?? [])];
  }

  /** Whoever is asked now. */
  get model(): PricedModel {
    return this.#left[0] as PricedModel; // the last one is never given up
  }

  async ask(conversation: readonly Message[]): Promise<Answer> {
    const messages = this.#models.showBudget ? await this.#withBudget(conversation) : conversation;
    await this.#lookAtBudget(messages);
    for (;;) {
      const [model, next] = [this.model, this.#left[1]];
      const ask = (): Promise<Answer> => this.#asking.ask(model, this.#nameOf(model), messages);
      if (next === undefined) return ask();
      const done = await this.#context.unlessFailed(this.#nameOf(model), this.#nameOf(next), ask);
      if (done !== undefined) return done.value;
      this.#left = this.#left.slice(1);
    }
  }

  /** The first model's calls have the plain name; those of others say whose they are. */
  #nameOf(model: PricedModel): string {
    return model === this.#models.priced ? this.#callName : `${this.#callName}:${model.name}`;
  }

  async #lookAtBudget(messages: readonly Message[]): Promise<void> {
    const { degradeTo } = this.#models;
    if (degradeTo === undefined || this.#isDegraded) return;
    const { priced, below } = degradeTo;
    const isLow = (): boolean => {
      const { share } = this.#context.remaining();
      if (share === undefined) return false;
      return share < below || !this.#context.affords(this.#asking.quote(this.model, messages));
    };
    const chosen = await this.#context.decide("model", () => (isLow() ? priced.name : this.model.name));
    if (chosen !== priced.name) return;
    this.#isDegraded = true;
    this.#left = [priced];
  }

  async #withBudget(messages: readonly Message[]): Promise<readonly Message[]> {
    const text = await this.#context.decide("budget", () => budgetText(this.#context.remaining()));
    if (text === "") return messages;
    const [first, ...rest] = messages;
    return first?.role === "system"
      ? [{ ...first, content: `${first.content}\n\n${text}` }, ...rest]
      : [{ role: "system", content: text }, ...messages];
  }
}

/** Bytes of the text below and the empty line before it, at most. */
export const longestBudgetText = 200;

/** What is left, for a model to read; empty when nothing is limited. */
function budgetText({ picoUsd, tokens, calls }: Remaining): string {
  const parts = [
    ...(picoUsd === undefined ? [] : [`$${decimalUsd(picoUsd)}`]),
    ...(tokens === undefined ? [] : [`${tokens} tokens`]),
    ...(calls === undefined ? [] : [`${calls} calls of a model`]),
  ];
  return parts.length === 0 ? "" : `Left of the budget for this work: ${parts.join(", ")}.`;
}

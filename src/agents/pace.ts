/**
 * How fast models are called from one `models()`: limits of requests and tokens a minute, and the pauses providers ask for.
 * It knows nothing of money; the engine asks it first, and reserves when the turn has come.
 */
import { familyOf } from "../budget/price-book.ts";
import type { Quote } from "../core/context.ts";
import { InvalidOptionError } from "../core/errors.ts";
import type { Outcome, Pace, Stoppable, Turn } from "../ports/pace.ts";
import type { World } from "../ports/world.ts";
import { type PaceLimit, PaceWindow, type Slot } from "./pace-window.ts";

export type { PaceLimit } from "./pace-window.ts";

/** Limits by model, `"openai:gpt-4o"`, or by provider for all its models together, `"openai:*"`. */
export interface PaceLimits {
  readonly [model: string]: PaceLimit;
}

type Clock = Pick<World, "now" | "timer">;

/** What calls of one model, or of one provider, pass through. */
interface Gate {
  readonly window: PaceWindow | undefined;
  pausedUntil: number;
  /** How many there have been. */
  pauses: number;
  inFlight: number;
  /** In flight at once: one after a pause, one more with each answer, until nobody counts. */
  most: number;
}

/** So many at once, and a pause is forgotten. */
const crowd = 1_000;

interface Waiting {
  readonly gates: readonly Gate[];
  readonly tokens: number;
  readonly clock: Clock;
  readonly go: (turn: Turn) => void;
}

const minuteMs = 60_000;

/** @throws InvalidOptionError for a limit that is no whole number from 1. */
export function modelPace(limits: PaceLimits = {}): Pace {
  for (const [model, limit] of Object.entries(limits)) checkLimit(model, limit);
  return new ModelPace(limits);
}

class ModelPace implements Pace {
  readonly #limits: PaceLimits;
  readonly #gates = new Map<string, Gate>();
  readonly #queue: Waiting[] = [];
  #offTimer = (): void => {};

  constructor(limits: PaceLimits) {
    this.#limits = Object.fromEntries(
      Object.entries(limits).map(([model, limit]) => [familyOf(model), limit]),
    );
  }

  turn({ model, inputTokens, outputTokens }: Quote, clock: Clock, stop: Stoppable): Turn | Promise<Turn> {
    const gates = this.#gatesOf(familyOf(model));
    const tokens = inputTokens + outputTokens.wanted;
    const isFirst = !this.#queue.some((waiting) => waiting.gates.some((gate) => gates.includes(gate)));
    if (isFirst && gates.every((gate) => isFree(gate, tokens, clock.now())))
      return this.#turn(gates, tokens, clock);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        gates,
        tokens,
        clock,
        go(turn) {
          off();
          resolve(turn);
        },
      };
      this.#queue.push(waiting);
      const off = stop.onFire((reason) => {
        const at = this.#queue.indexOf(waiting);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(reason);
        this.#serve(clock);
      });
      this.#serve(clock);
    });
  }

  /** Takes up room on every gate. */
  #turn(gates: readonly Gate[], tokens: number, clock: Clock): Turn {
    const slots = gates.flatMap(({ window }): [PaceWindow, Slot][] =>
      window === undefined ? [] : [[window, window.hold(tokens)]],
    );
    for (const gate of gates) gate.inFlight += 1;
    const pausesBefore = gates[0]?.pauses;
    let isOver = false;
    const leave = (end: () => void): void => {
      if (isOver) return;
      isOver = true;
      for (const gate of gates) gate.inFlight -= 1;
      end();
      this.#serve(clock);
    };
    return {
      sent: () => {
        for (const [window, slot] of slots) window.send(slot, clock.now());
        this.#serve(clock); // now it is known when its room is free again
      },
      ended: (outcome) =>
        leave(() => {
          for (const [window, slot] of slots) window.correct(slot, outcome.tokens, clock.now());
          if (gates[0] !== undefined) learn(gates[0], outcome, clock.now(), gates[0].pauses === pausesBefore);
        }),
      back: () =>
        leave(() => {
          for (const [window, slot] of slots) window.giveBack(slot);
        }),
    };
  }

  /** The gate of the model itself comes first. */
  #gatesOf(model: string): readonly Gate[] {
    const provider = `${model.slice(0, Math.max(0, model.indexOf(":")))}:*`;
    return Object.hasOwn(this.#limits, provider)
      ? [this.#gate(model), this.#gate(provider)]
      : [this.#gate(model)];
  }

  #gate(name: string): Gate {
    const known = this.#gates.get(name);
    if (known !== undefined) return known;
    const limit = Object.hasOwn(this.#limits, name) ? this.#limits[name] : undefined;
    const window = limit && new PaceWindow(limit, minuteMs);
    const gate: Gate = { window, pausedUntil: 0, pauses: 0, inFlight: 0, most: Number.POSITIVE_INFINITY };
    this.#gates.set(name, gate);
    return gate;
  }

  /** Lets pass, in order, whom all gates have room for; nobody overtakes one who waits at the same gate. */
  #serve(clock: Clock): void {
    this.#offTimer();
    this.#offTimer = () => {};
    if (this.#queue.length === 0) return;
    const now = clock.now();
    const closed = new Set<Gate>();
    let next: { readonly at: number; readonly clock: Clock } | undefined;
    for (let i = 0; i < this.#queue.length && closed.size < this.#gates.size; ) {
      const { gates, tokens, clock: whose, go } = this.#queue[i] as Waiting; // in range
      const shut = gates.filter((gate) => !isFree(gate, tokens, now));
      const isBehind = gates.some((gate) => closed.has(gate));
      if (shut.length === 0 && !isBehind) {
        this.#queue.splice(i, 1);
        go(this.#turn(gates, tokens, whose));
        continue;
      }
      i += 1;
      for (const gate of shut) closed.add(gate);
      if (isBehind) continue; // whoever is before it is waited for
      const at = latest(shut.map((gate) => freeAt(gate, tokens, now)));
      if (at !== undefined && (next === undefined || at < next.at)) next = { at, clock: whose };
    }
    if (next === undefined) return;
    const { at, clock: whose } = next;
    this.#offTimer = whose.timer(Math.max(1, at - now), () => this.#serve(whose));
  }
}

/** When the gate lets a call of so many tokens through; undefined: nobody knows yet. */
function freeAt(gate: Gate, tokens: number, now: number): number | undefined {
  const { window, pausedUntil, inFlight, most } = gate;
  if (inFlight >= most) return undefined;
  const at = window === undefined ? now : window.freeAt(tokens, now);
  return at === undefined ? undefined : Math.max(at, pausedUntil);
}

function isFree(gate: Gate, tokens: number, now: number): boolean {
  const at = freeAt(gate, tokens, now);
  return at !== undefined && at <= now;
}

function latest(times: readonly (number | undefined)[]): number | undefined {
  let last = Number.NEGATIVE_INFINITY;
  for (const at of times) {
    if (at === undefined) return undefined;
    last = Math.max(last, at);
  }
  return last;
}

/**
 * After a pause one call tries first, for all that waited would only be refused together again. Each answer lets one more
 * through, so that their number doubles from round to round; those of calls that left before the pause say nothing.
 */
function learn(model: Gate, { ok, pauseMs }: Outcome, now: number, isFresh: boolean): void {
  if (pauseMs !== undefined) {
    model.pauses += 1;
    model.most = 1;
    model.pausedUntil = Math.max(model.pausedUntil, now + pauseMs);
  } else if (ok && isFresh) model.most = model.most >= crowd ? Number.POSITIVE_INFINITY : model.most + 1;
}

function checkLimit(model: string, limit: PaceLimit): void {
  const where = `limits["${model}"]`;
  if (!/^[^\s:]+:\S+$/.test(model)) {
    throw new InvalidOptionError(`${where} names no model`, {
      hint: 'Write "provider:model", or "provider:*" for all of a provider together.',
    });
  }
  for (const [field, value] of Object.entries(limit)) {
    if (field !== "requestsPerMinute" && field !== "tokensPerMinute")
      throw new InvalidOptionError(
        `${where} has no field ${field}; it takes requestsPerMinute and tokensPerMinute`,
      );
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1))
      throw new InvalidOptionError(`${where}.${field} is ${value}; it takes a whole number from 1`);
  }
}

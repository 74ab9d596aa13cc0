import type { Entry } from "../core/entries.ts";
import { DeliveryFailedError, type FlujoError, InvalidOptionError } from "../core/errors.ts";
import type { Listener } from "../ports/listener.ts";
import type { LinksFor } from "../ports/sink.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { whyOf } from "./attempt.ts";
import { Courier, type Rest, type Roads } from "./courier.ts";
import { cursors, openCursor, type Standing } from "./cursor.ts";
import type { StandingLetter } from "./dead-letter.ts";
import { Gate } from "./gate.ts";
import { type Resent, resend } from "./resend.ts";
import { type Route, routesOf, type Sinks } from "./subscription.ts";

export interface OutboxOptions {
  readonly store: Store;
  readonly world: World;
  readonly sinks: Sinks;
  /** How sinks come by links to answer questions. Default: they have none. */
  readonly linksFor?: LinksFor | undefined;
  /** Told of what people should know: an event given up, a store that does not answer. */
  readonly onError: (error: FlujoError) => void;
  /** Look so often, in milliseconds, for what other processes have left undelivered. Default: never by itself. */
  readonly sweepEveryMs?: number;
  /** How long `leave` waits for deliveries under way, in milliseconds. Default 5,000. */
  readonly farewellMs?: number;
}

/** What a look through the outbox came to, in events. */
export interface DeliveryReport {
  readonly delivered: number;
  /** Tries that failed, and will be repeated. */
  readonly failed: number;
  /** Given up: `flujo outbox list` shows them. */
  readonly dead: number;
}

/** One run on its way to one sink. */
interface Lane {
  readonly courier: Courier;
  under: Promise<void> | undefined;
  again: boolean;
  rest: Rest["rest"];
  off: (() => void) | undefined;
}

/** Deliveries to one sink at once. */
const width = 8;
/** A store that did not answer is asked again after this long. */
const storePauseMs = 5_000;
/** Cursors looked at together by a sweep. */
const handful = 100;
/** Of its time, a process spends at most this part on looking for what is not told. */
const share = 1 / 20;

/**
 * Tells sinks what happens in runs: the journal is the outbox, a cursor in the store says how far each sink has been
 * told. At least once, in order within a run, whichever process is there to do it. A run never waits for a sink.
 */
export class Outbox implements Listener {
  readonly #options: OutboxOptions;
  readonly #routes: readonly Route[];
  readonly #roads: Roads;
  readonly #gates: ReadonlyMap<Route, Gate>;
  readonly #lanes = new Map<string, Lane>();
  /** The runs that this process advances. */
  readonly #mine = new Set<string>();
  /** Lanes whose cursor could not be made. */
  readonly #unopened = new Set<string>();
  readonly #leaving = new AbortController();
  readonly #count = { delivered: 0, failed: 0, dead: 0 };
  /** How long the last sweep has looked, without what it then delivered. */
  #lookMs = 0;
  #storeFails = false;
  #offSweep: (() => void) | undefined;
  #farewell: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(options: OutboxOptions) {
    const { store, world, sinks } = options;
    this.#options = options;
    this.#routes = routesOf(sinks);
    this.#gates = new Map(this.#routes.map((route) => [route, new Gate(width)]));
    this.#roads = {
      store,
      world,
      by: world.id(),
      linksFor: options.linksFor,
      leaving: this.#leaving.signal,
      onDelivery: (what, route, runId, why) => {
        this.#count[what]++;
        if (what === "dead")
          this.#report(`the sink "${route.name}" did not take an event of run ${runId}: ${why}`, runId);
      },
    };
  }

  async enter(runId: string): Promise<void> {
    this.#mine.add(runId);
    this.watch();
    await Promise.all(this.#routes.map((route) => this.#open(route, runId)));
  }

  /** Where the store does not answer, the run goes on, and its cursor is made as soon as it does. */
  async #open(route: Route, runId: string): Promise<void> {
    try {
      await openCursor(this.#options.store, route.name, runId);
    } catch {
      this.#unopened.add(keyOf(route, runId));
      void this.#wake(route, runId);
    }
  }

  hear(runId: string, entries: readonly Entry[]): void {
    const stands = entries.some(bringsToStand);
    if (stands) this.#mine.delete(runId);
    for (const route of this.#routes) {
      if (stands || entries.some(({ type }) => route.wants(type))) void this.#wake(route, runId);
    }
  }

  /** Gives deliveries under way a while, then leaves the rest to whoever comes next. */
  leave(): Promise<void> {
    this.#farewell ??= this.#leave();
    return this.#farewell;
  }

  async #leave(): Promise<void> {
    this.#offSweep?.();
    const { world, farewellMs = 5_000 } = this.#options;
    const off = world.timer(farewellMs, () => this.#leaving.abort());
    for (const lane of this.#lanes.values()) lane.off?.();
    await Promise.all([...this.#lanes.values()].map(({ under }) => under));
    off();
    for (const [name, lanes] of Map.groupBy(this.#lanes.values(), ({ courier }) => courier.route.name)) {
      const left = lanes.filter(({ rest }) => rest === "later").map(({ courier }) => courier.runId);
      if (left.length === 0) continue;
      const which = left.length > 3 ? `${left.length} runs` : `run ${left.join(", ")}`;
      this.#report(`the sink "${name}" has not taken every event of ${which} yet`, left[0]);
    }
    this.#lanes.clear();
  }

  /**
   * Delivers what is due, of all runs of the store, also of those whose process died.
   *
   * @param early tries what is due later, too.
   */
  async deliver({ early = false }: { readonly early?: boolean } = {}): Promise<DeliveryReport> {
    const { store, world } = this.#options;
    const before = { ...this.#count };
    let [began, lookMs] = [world.now(), 0];
    const carry = async (some: readonly Standing[], route: Route): Promise<void> => {
      const untold = await this.#untold(some);
      lookMs += world.now() - began;
      await Promise.all(untold.map(({ runId }) => this.#wake(route, runId, early)));
      began = world.now();
    };
    for (const route of this.#routes) {
      let some: Standing[] = [];
      for await (const standing of cursors(store, route.name)) {
        some.push(standing);
        if (some.length < handful) continue;
        await carry(some, route);
        some = [];
        await new Promise<void>((resolve) => world.soon(resolve)); // a look may be long, and others have work, too
      }
      await carry(some, route);
    }
    this.#lookMs = lookMs;
    const { delivered, failed, dead } = this.#count;
    return {
      delivered: delivered - before.delivered,
      failed: failed - before.failed,
      dead: dead - before.dead,
    };
  }

  /**
   * Those of which there may be something to tell. Most cursors are those of runs that wait, and were told everything: one
   * read each says so, and nothing is written.
   */
  async #untold(some: readonly Standing[]): Promise<Standing[]> {
    const { store } = this.#options;
    const isUntold = await Promise.all(
      some.map(async ({ runId, cursor }) => {
        if (cursor.owner !== undefined || cursor.failing !== undefined) return true;
        return (await store.read(runId, cursor.next, 1))?.length !== 0;
      }),
    );
    return some.filter((_, i) => isUntold[i]);
  }

  /** Sends a dead letter again. @throws InvalidOptionError when there is no sink of its name. */
  async resend(letter: StandingLetter): Promise<Resent> {
    const route = this.#routes.find(({ name }) => name === letter.sink);
    if (route === undefined) {
      throw new InvalidOptionError(`there is no sink "${letter.sink}", to which ${letter.id} was to go`, {
        hint: "Name it among the sinks of flujo.config.ts, or drop the letter: flujo outbox drop",
      });
    }
    return resend(letter, route, this.#roads);
  }

  #wake(route: Route, runId: string, early = false): Promise<void> {
    if (this.#hasLeft) return Promise.resolve();
    const key = keyOf(route, runId);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      const courier = new Courier(route, runId, this.#roads);
      lane = { courier, under: undefined, again: false, rest: "told", off: undefined };
      this.#lanes.set(key, lane);
    }
    lane.off?.();
    lane.off = undefined;
    lane.again = true;
    lane.under ??= this.#carry(key, lane, early);
    return lane.under;
  }

  async #carry(key: string, lane: Lane, early: boolean): Promise<void> {
    const { courier } = lane;
    const { world } = this.#options;
    let came: Rest = { rest: "told" };
    while (lane.again && !this.#leaving.signal.aborted) {
      lane.again = false;
      came = await this.#once(courier, early);
    }
    lane.under = undefined;
    lane.rest = came.rest;
    if (came.rest === "later" && !this.#hasLeft) {
      const wake = (): void => void this.#wake(courier.route, courier.runId);
      lane.off = world.timer(Math.max(0, came.at - world.now()), wake, { background: true });
    } else if (came.rest !== "later" && (came.rest === "closed" || !this.#mine.has(courier.runId))) {
      this.#lanes.delete(key);
    }
  }

  async #once(courier: Courier, early: boolean): Promise<Rest> {
    try {
      const key = keyOf(courier.route, courier.runId);
      if (this.#unopened.has(key)) await openCursor(this.#options.store, courier.route.name, courier.runId);
      this.#unopened.delete(key);
      const gate = this.#gates.get(courier.route) as Gate; // every route has one
      const rest = await gate.through(() => courier.carry(early));
      this.#storeFails = false;
      return rest;
    } catch (error) {
      this.#reportStore(error);
      return { rest: "later", at: this.#options.world.now() + storePauseMs };
    }
  }

  /** Looks for what others have left undelivered, from now on and every while: by itself, from the first run on. */
  watch(): void {
    const { world, sweepEveryMs } = this.#options;
    if (sweepEveryMs === undefined || this.#hasLeft || this.#offSweep !== undefined) return;
    const sweep = async (): Promise<void> => {
      try {
        await this.deliver();
      } catch (error) {
        this.#reportStore(error);
      }
      const pause = Math.max(sweepEveryMs, this.#lookMs / share);
      if (!this.#hasLeft) this.#offSweep = world.timer(pause, sweep, { background: true });
    };
    this.#offSweep = world.timer(0, sweep, { background: true });
  }

  get #hasLeft(): boolean {
    return this.#farewell !== undefined;
  }

  /** Told once, until the store has answered again; a store that was closed after us is no trouble. */
  #reportStore(error: unknown): void {
    if (this.#storeFails || this.#hasLeft) return;
    this.#storeFails = true;
    this.#report(`sinks wait for the store: ${whyOf(error)}`);
  }

  #report(message: string, runId?: string): void {
    const hint = "flujo outbox list shows what is left; flujo outbox deliver tries it.";
    try {
      this.#options.onError(new DeliveryFailedError(message, { runId, hint }));
    } catch {} // whoever is told of errors cannot hurt deliveries
  }
}

const keyOf = ({ name }: Route, runId: string): string => `${name}/${runId}`;

/** Whether a run stands still with this entry. */
const bringsToStand = ({ type }: Entry): boolean =>
  type.startsWith("run-") && type !== "run-created" && type !== "run-resumed";

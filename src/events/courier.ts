import type { Entry } from "../core/entries.ts";
import type { LinksFor } from "../ports/sink.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { attempt, backoff, type Outcome, whyOf } from "./attempt.ts";
import { closeCursor, cursorAt, type Failing, isTaken, moveCursor, type Standing } from "./cursor.ts";
import { keepLetter } from "./dead-letter.ts";
import { Story } from "./story.ts";
import type { Route } from "./subscription.ts";

/** What a courier needs of its surroundings. */
export interface Roads {
  readonly store: Store;
  readonly world: World;
  /** Tells this outbox from others of the same process. */
  readonly by: string;
  readonly linksFor: LinksFor | undefined;
  /** Fires when this process ends. */
  readonly leaving: AbortSignal;
  /** Told of each delivery, each try that failed, each event given up. */
  readonly onDelivery: (
    what: "delivered" | "failed" | "dead",
    route: Route,
    runId: string,
    why?: string,
  ) => void;
}

/** What is left once a courier has come back. `told`: everything there is by now; `closed`: there will be nothing more. */
export type Rest = { readonly rest: "told" | "closed" } | { readonly rest: "later"; readonly at: number };

const page = 200;
/** Beside the time a sink may take: how long a cursor is kept from others with each step. */
const marginMs = 10_000;

/** Carries the events of one run to one sink, in order, each at least once. */
export class Courier {
  readonly route: Route;
  readonly runId: string;
  readonly #roads: Roads;
  readonly #story: Story;

  constructor(route: Route, runId: string, roads: Roads) {
    this.route = route;
    this.runId = runId;
    this.#roads = roads;
    this.#story = new Story(roads.store, runId, roads.linksFor);
  }

  /**
   * Delivers what there is, until all is told or one event has to wait.
   *
   * @param early tries at once what is due later.
   */
  async carry(early = false): Promise<Rest> {
    const { store, world, leaving, by } = this.#roads;
    const found = await cursorAt(store, this.route.name, this.runId);
    if (found === undefined) return { rest: "closed" };
    const { cursor } = found;
    if (isTaken(cursor, by, world)) return { rest: "later", at: cursor.until ?? world.now() };
    const due = cursor.failing?.due ?? 0;
    if (!early && due > world.now()) return { rest: "later", at: due };
    let at = await this.#move(found, cursor.next, cursor.failing);
    while (at !== undefined) {
      const entries = await store.read(this.runId, at.cursor.next, page);
      if (entries === undefined) return this.#close(at); // the run is gone
      if (entries.length === 0) return this.#rest(at);
      if (leaving.aborted) return this.#leave(at, at.cursor.next);
      const came = await this.#tell(entries, at);
      if (came !== undefined && "rest" in came) return came;
      at = came;
    }
    return this.#outrun();
  }

  /** Tells entries one after another. Returns where the cursor stands then; undefined when another has moved it. */
  async #tell(entries: readonly Entry[], from: Standing): Promise<Standing | Rest | undefined> {
    let at: Standing = from;
    for (const entry of entries) {
      const outcome = (await this.#isWanted(entry))
        ? await this.#try(entry, failingOf(at, entry))
        : undefined;
      if (outcome?.outcome === "left") return this.#leave(at, entry.seq);
      if (outcome?.outcome === "failed") return this.#wait(at, entry, outcome);
      if (endsRun(entry)) return this.#close(at);
      if (outcome === undefined && entry !== entries.at(-1)) continue;
      const moved = await this.#move(at, entry.seq + 1, undefined);
      if (moved === undefined) return undefined;
      at = moved;
    }
    return at;
  }

  async #isWanted(entry: Entry): Promise<boolean> {
    return this.route.wants(entry.type) && this.route.wantsPipeline(await this.#story.pipeline());
  }

  /** One try of one event. What will never be taken is kept as a dead letter, and the run's next events go on. */
  async #try(entry: Entry, failing: Failing | undefined): Promise<Outcome | undefined> {
    const { store, world, leaving, onDelivery } = this.#roads;
    const { route, runId } = this;
    const attempts = (failing?.attempts ?? 0) + 1;
    const delivery = await this.#story.delivery(route.name, entry, attempts);
    let outcome: Outcome;
    try {
      if (!route.where(delivery)) return undefined;
      outcome = await attempt(route, delivery, world, leaving);
    } catch (thrown) {
      outcome = { outcome: "refused", why: `where() threw ${whyOf(thrown)}` };
    }
    if (outcome.outcome === "delivered") onDelivery("delivered", route, runId);
    if (outcome.outcome !== "refused" && outcome.outcome !== "failed") return outcome;
    const since = failing?.since ?? world.now();
    const isOver = attempts >= route.attempts || world.now() - since >= route.giveUpAfterMs;
    if (outcome.outcome === "failed" && !isOver) {
      onDelivery("failed", route, runId, outcome.why);
      return outcome;
    }
    const { type } = entry;
    const { path } = delivery.event;
    const letter = { id: delivery.id, type, path, attempts, at: world.now(), why: outcome.why };
    await keepLetter(store, route.name, runId, entry.seq, letter);
    onDelivery("dead", route, runId, outcome.why);
    return { outcome: "refused", why: outcome.why };
  }

  /** Moves the cursor, and keeps it from others for one more try. */
  #move(at: Standing, next: number, failing: Failing | undefined): Promise<Standing | undefined> {
    const { store, world, by } = this.#roads;
    const until = world.now() + this.route.timeoutMs + marginMs;
    const cursor = { next, owner: world.owner, by, until, ...(failing === undefined ? {} : { failing }) };
    return moveCursor(store, at, cursor);
  }

  /** Everything is told: the cursor is anybody's. */
  async #rest(at: Standing): Promise<Rest> {
    await this.#free(at, at.cursor.next);
    return { rest: "told" };
  }

  /** Leaves what is not told yet to whoever comes next. */
  async #leave(at: Standing, next: number): Promise<Rest> {
    await this.#free(at, next);
    return { rest: "later", at: this.#roads.world.now() };
  }

  async #free(at: Standing, next: number): Promise<void> {
    const { failing } = next === at.cursor.next ? at.cursor : {};
    await moveCursor(this.#roads.store, at, { next, ...(failing === undefined ? {} : { failing }) });
  }

  async #wait(at: Standing, entry: Entry, outcome: Extract<Outcome, { why: string }>): Promise<Rest> {
    const { store, world } = this.#roads;
    const { attempts: before, since } = failingOf(at, entry) ?? { attempts: 0, since: world.now() };
    const attempts = before + 1;
    const afterMs = "afterMs" in outcome ? outcome.afterMs : 0;
    const due = world.now() + backoff(attempts, world.random(), afterMs);
    const moved = await moveCursor(store, at, {
      next: entry.seq,
      failing: { attempts, since, due, why: outcome.why },
    });
    return moved === undefined ? this.#outrun() : { rest: "later", at: due };
  }

  async #close(at: Standing): Promise<Rest> {
    return (await closeCursor(this.#roads.store, at)) ? { rest: "closed" } : this.#outrun();
  }

  /** Another process has the cursor: look again when it may be free. */
  #outrun(): Rest {
    return { rest: "later", at: this.#roads.world.now() + this.route.timeoutMs + marginMs };
  }
}

/** What is known of earlier tries of an entry: they are those of the one the cursor points at. */
const failingOf = ({ cursor }: Standing, { seq }: Entry): Failing | undefined =>
  cursor.next === seq ? cursor.failing : undefined;

/** After these nothing more can happen in a run. */
const endsRun = (entry: Entry): boolean =>
  entry.type === "run-completed" || (entry.type === "run-cancelled" && entry.left === undefined);

import { dirname } from "node:path";
import { models as defaultModels, forReplay } from "./agents/models.ts";
import type { EntryType } from "./core/entries.ts";
import type { FlujoError } from "./core/errors.ts";
import type { Step } from "./core/step.ts";
import type { CommonOptions } from "./engine/options.ts";
import type { ReplayStage } from "./engine/replay/replay.ts";
import { rootOf } from "./engine/root.ts";
import { Runner } from "./engine/runner.ts";
import { type Hook, type HookOptions, Hooks } from "./events/hooks.ts";
import { type DeliveryReport, Outbox } from "./events/outbox.ts";
import type { Sinks } from "./events/subscription.ts";
import { type AnswerLinkOptions, AnswerLinks } from "./links/answer-links.ts";
import { type Secret, secretOf } from "./links/secret.ts";
import { nodeWorld } from "./node-world.ts";
import type { Premises, Schedules } from "./pipeline-schedules.ts";
import type { Models } from "./ports/models.ts";
import type { LinksFor } from "./ports/sink.ts";
import { releaseAt } from "./release.ts";
import { memory } from "./stores/memory.ts";

/** What every run of a `Flujo` shares. */
export interface FlujoOptions<State = unknown> extends CommonOptions<State> {
  readonly models?: Models;
  /** Where events are told, by name. With `takeOver`, what other processes have left undelivered is delivered, too. */
  readonly sinks?: Sinks;
  /** Where `flujo up`, or another server of these runs, is reached by those who answer: `"https://flujo.example.com"`. */
  readonly publicUrl?: string;
  /**
   * What answer links are signed with: 32 characters or more; of several the first signs, and all are honoured. Default:
   * FLUJO_SECRET, else one that the store keeps.
   */
  readonly secret?: Secret | undefined;
  /** Told of hooks that fail, and of events that a sink did not take. Default: a line on stderr. */
  readonly onError?: (error: FlujoError) => void;
}

/** How often a process that advances runs looks for deliveries that others have left. */
const sweepEveryMs = 60_000;

/**
 * Runs a pipeline, durably and inside its budget: the engine, in the real world.
 *
 * ```ts
 * await using flujo = new Flujo(greet, { store: sqlite(".flujo/flujo.db"), budget: "$0.50" });
 * const result = await flujo.run("Ada", { runId: "greet-ada" });
 * if (result.status === "completed") console.log(result.output);
 * ```
 *
 * The same run id again resumes the run, or returns the result it has.
 */
export class Flujo<In, Out, State = unknown> extends Runner<In, Out, State> {
  readonly #models: Models;
  readonly #hooks: Hooks;
  readonly #outbox: Outbox | undefined;
  readonly #links: AnswerLinks;
  readonly #premises: Omit<Premises, "starter" | "root"> & { readonly step: Step<In, Out, State> };
  #schedules: Promise<Schedules<In>> | undefined;

  /** @throws InvalidPipelineError, InvalidOptionError */
  constructor(step: Step<In, Out, State>, options: FlujoOptions<State> = {}) {
    const { sinks, publicUrl, secret, onError = tellError, store = memory(), ...engine } = options;
    const world = nodeWorld();
    const hooks = new Hooks(world, onError);
    const links = new AnswerLinks({ store, world, publicUrl, secret: secret ?? secretOf(process.env) });
    const linksFor: LinksFor = (runId, event) => links.forEvent(runId, event);
    const sweep = (options.takeOver ?? true) ? { sweepEveryMs } : {};
    const outbox = sinks && new Outbox({ store, world, sinks, linksFor, onError, ...sweep });
    const listeners = outbox === undefined ? [hooks] : [hooks, outbox];
    const { origin } = options;
    const release = options.release ?? releaseAt(origin === undefined ? undefined : dirname(origin.file));
    const known = release === undefined ? {} : { release };
    super(step, { world, models: defaultModels(), ...engine, ...known, store, listeners });
    this.#models = options.models ?? defaultModels();
    this.#hooks = hooks;
    this.#outbox = outbox;
    this.#links = links;
    this.#premises = { step, store, world, origin: options.origin };
  }

  /**
   * Calls a function with each event of a type, or of several, or (`"*"`) of all, once it is in the store, for the runs
   * that this process advances: in order within a run. What the function throws is told and hurts no run; one that is
   * asynchronous is waited for, by nobody but itself, up to its timeout. For what must not be missed, use sinks.
   *
   * ```ts
   * const flujo = new Flujo(greet);
   * const off = flujo.on("budget-threshold", (event, { runId, stop }) => {
   *   console.warn(`${runId}: ${event.scope} is at ${event.percent} %`);
   *   if (event.percent > 90) stop("nobody wants to pay more for this");
   * });
   * off();
   * ```
   *
   * @returns how to call the hook off.
   */
  on<T extends EntryType | "*">(type: T | readonly T[], hook: Hook<T>, options?: HookOptions): () => void {
    return this.#hooks.on(type, hook, options);
  }

  protected override async stage(): Promise<ReplayStage> {
    const { withNetwork, withoutNetwork } = await import("./closed-network.ts"); // it takes node:http, dear to load
    return { models: forReplay(this.#models), enclosure: { within: withoutNetwork, outside: withNetwork } };
  }

  /**
   * A link to a page where what is asked at a path is answered, once, by whoever has the link. The page is served by
   * `flujo up` at the `publicUrl`.
   *
   * ```ts
   * const flujo = new Flujo(greet, { publicUrl: "https://flujo.example.com" });
   * const link = await flujo.answerLink("r1", "/payout/approve", { by: "ana", expires: "2d" });
   * const yes = await flujo.answerLink("r1", "/payout/approve", { answer: { approved: true } });
   * ```
   *
   * @throws UnknownRunError, RunEndedError; SignalRefusedError when nobody is asked there now, or it has its answer;
   *   InvalidOptionError without a `publicUrl`, and for a time out of bounds.
   */
  answerLink(runId: string, path: string, options?: AnswerLinkOptions): Promise<string> {
    return this.#links.to(runId, path, options);
  }

  /**
   * Delivers to the sinks what is due now, of all runs in the store, also of those whose process died.
   *
   * @param options `early`: tries what is due later, too.
   */
  async deliver(options?: { readonly early?: boolean }): Promise<DeliveryReport> {
    return (await this.#outbox?.deliver(options)) ?? { delivered: 0, failed: 0, dead: 0 };
  }

  /**
   * The schedules of this pipeline in the store: made and changed by any process, fired by those that say so.
   *
   * ```ts
   * await using flujo = new Flujo(greet, { store: sqlite(".flujo/flujo.db") });
   * const schedules = await flujo.schedules();
   * await schedules.set("mondays", { cron: "0 9 * * 1", timeZone: "Europe/Madrid", input: "Ada", budget: "$2" });
   * await schedules.fire();
   * ```
   */
  schedules(): Promise<Schedules<In>> {
    this.#schedules ??= this.#loadSchedules();
    return this.#schedules;
  }

  async #loadSchedules(): Promise<Schedules<In>> {
    const { Schedules } = await import("./pipeline-schedules.ts");
    const { step, ...premises } = this.#premises;
    return new Schedules<In>({ ...premises, root: rootOf(step.node), starter: this });
  }

  /** Stops firing schedules, then does as `Runner` does. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#schedules)?.stop();
    await super[Symbol.asyncDispose]();
  }
}

function tellError({ message, hint }: FlujoError): void {
  console.error(hint === undefined ? message : `${message}. ${hint}`);
}

import { ClientError } from "./error.ts";
import { type FollowOptions, follow } from "./follow.ts";
import type {
  Acted,
  Budget,
  CostsView,
  EntryPage,
  EventView,
  ForkRequest,
  ImprovablesView,
  OperationDetail,
  OperationPage,
  Path,
  ReplayOptions,
  ReplayReport,
  RunDetail,
  RunFilter,
  RunGraph,
  RunLine,
  RunPage,
  StartRequest,
  SubmitRequest,
  Submitted,
  TracePage,
  Usd,
} from "./types.ts";
import type { Wire } from "./wire.ts";

export interface RunEventsOptions extends FollowOptions {
  /** The number of the first event wanted. Default 0: all of them. */
  readonly from?: number;
}

export interface RunWaitOptions extends FollowOptions {
  /** `stands`: the run has ended, halted, or waits for somebody. `ended`: it waits for nothing more. Default `stands`. */
  readonly until?: "stands" | "ended";
}

/** How often a run that waits for somebody is looked at, in milliseconds. */
const lookEveryMs = 1_000;

/** The runs of a server. Every method throws ClientError. */
export class Runs {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Starts a run: it is recorded when this returns. With a run id of your own, once however often you ask. */
  start(request: StartRequest): Promise<Acted> {
    return this.#wire.post("/runs", request);
  }

  /** Makes a run for whichever worker takes it; it is recorded when this returns. With a run id of your own, once. */
  submit(request: SubmitRequest): Promise<Submitted> {
    return this.#wire.post("/submissions", request);
  }

  /** A page of runs, newest first. */
  list({ createdFrom, createdBefore, ...filter }: RunFilter = {}): Promise<RunPage> {
    const moments = { createdFrom: createdFrom?.toISOString(), createdBefore: createdBefore?.toISOString() };
    return this.#wire.get("/runs", { ...filter, ...moments });
  }

  /** All runs a filter lets through, newest first, fetched page by page as they are read. */
  async *all(filter: Omit<RunFilter, "cursor"> = {}): AsyncGenerator<RunLine> {
    for (let next: { readonly cursor?: string } | undefined = {}; next !== undefined; ) {
      const page: RunPage = await this.list({ ...filter, ...next });
      yield* page.runs;
      next = page.next === null ? undefined : { cursor: page.next };
    }
  }

  /** @param options `whole`: values of more than 100,000 characters, too; else those are told by their size. */
  get(runId: string, options: { readonly whole?: boolean } = {}): Promise<RunDetail> {
    return this.#wire.get(at(runId), { ...options });
  }

  operations(
    runId: string,
    page: { readonly from?: number; readonly limit?: number } = {},
  ): Promise<OperationPage> {
    return this.#wire.get(`${at(runId)}/operations`, { ...page });
  }

  operation(
    runId: string,
    path: string,
    options: { readonly whole?: boolean } = {},
  ): Promise<OperationDetail> {
    return this.#wire.get(`${at(runId)}/operation`, { path, ...options });
  }

  /** What a run has done, with values and with what models were sent and said: 100 operations at once unless `limit` says more. */
  trace(
    runId: string,
    page: { readonly from?: number; readonly limit?: number; readonly whole?: boolean } = {},
  ): Promise<TracePage> {
    return this.#wire.get(`${at(runId)}/trace`, { ...page });
  }

  entries(runId: string, page: { readonly from?: number; readonly limit?: number } = {}): Promise<EntryPage> {
    return this.#wire.get(`${at(runId)}/entries`, { ...page });
  }

  graph(runId: string): Promise<RunGraph> {
    return this.#wire.get(`${at(runId)}/graph`);
  }

  /** Answers what a run asks, or sends it an event. */
  signal(
    runId: string,
    path: string,
    data?: unknown,
    options: { readonly by?: string } = {},
  ): Promise<Acted> {
    return this.#wire.post(`${at(runId)}/signals`, { path, data, ...options });
  }

  cancel(runId: string, reason?: string): Promise<Acted> {
    return this.#wire.post(`${at(runId)}/cancel`, { reason });
  }

  resume(
    runId: string,
    options: { readonly budget?: Usd | Budget; readonly forceVersion?: boolean } = {},
  ): Promise<Acted> {
    return this.#wire.post(`${at(runId)}/resume`, options);
  }

  /** Starts a new run that shares what this one has recorded before a point, and pays only for what follows. */
  fork(runId: string, request: ForkRequest): Promise<Acted> {
    return this.#wire.post(`${at(runId)}/fork`, request);
  }

  /** What a fork can change. `at`: says also which agent a path is of. */
  improvables(runId: string, options: { readonly at?: Path } = {}): Promise<ImprovablesView> {
    return this.#wire.get(`${at(runId)}/improvables`, { ...options });
  }

  /** Walks a run again on its record, with the code that is served, and says what that would do otherwise. */
  replay(runId: string, options: ReplayOptions = {}): Promise<ReplayReport> {
    return this.#wire.post(`${at(runId)}/replay`, options);
  }

  /** What a run cost, in exact sums. */
  costs(runId: string, options: { readonly timeZone?: string } = {}): Promise<CostsView> {
    return this.#wire.get(`${at(runId)}/costs`, { ...options });
  }

  /** Raises the limits of a run by so much each. */
  topUp(runId: string, by: Usd | Budget): Promise<Acted> {
    return this.#wire.post(`${at(runId)}/top-up`, { by });
  }

  /**
   * The events of a run, then live, until it has come to stand: each once, also when the connection breaks or the server
   * is started anew in between.
   */
  async *events(runId: string, options: RunEventsOptions = {}): AsyncGenerator<EventView> {
    const { from } = options;
    for await (const { event, data } of follow(this.#wire, `${at(runId)}/events`, { from }, options)) {
      if (event === "end") return;
      yield JSON.parse(data) as EventView; // as the server's document says
    }
  }

  /** Runs as they change from now on, each as it then stands; the same more than once when the connection breaks. */
  async *changes(options: FollowOptions = {}): AsyncGenerator<RunLine> {
    for await (const { data } of follow(this.#wire, "/events", {}, options)) {
      yield JSON.parse(data) as RunLine; // as above
    }
  }

  /** Waits until a run has come to stand, and tells it whole. */
  async wait(runId: string, options: RunWaitOptions = {}): Promise<RunDetail> {
    const { until = "stands", signal } = options;
    for (let from = 0; ; ) {
      for await (const { seq } of this.events(runId, { ...options, from })) from = seq + 1;
      signal?.throwIfAborted();
      const found = await this.get(runId, { whole: true }).catch(unlessLater);
      const status = found?.run.status ?? "running";
      if (found !== undefined && status !== "running" && (until === "stands" || status !== "waiting"))
        return found;
      if (found !== undefined && from < found.next) continue; // it went on meanwhile
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }
}

/** A server that is away for a moment is asked again: `events` says when that takes too long. */
function unlessLater(error: unknown): undefined {
  if (!ClientError.isInstance(error) || !error.retryable) throw error;
}

const at = (runId: string): string => `/runs/${encodeURIComponent(runId)}`;

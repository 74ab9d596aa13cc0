/** The door of `flujo/client`: runs over HTTP, from any service or page. It loads nothing of the engine. */
import { Experiments } from "./experiments.ts";
import { Runs } from "./runs.ts";
import type {
  AccountView,
  CostsView,
  FigureFilter,
  Inbox,
  InboxItem,
  Json,
  PipelineView,
  ResentLetter,
  StatsView,
  Undelivered,
  VersionDiff,
  VersionsView,
} from "./types.ts";
import { type ClientOptions, Wire } from "./wire.ts";

export { ClientError } from "./error.ts";
export type { Experiments } from "./experiments.ts";
export type { FollowOptions } from "./follow.ts";
export type { RunEventsOptions, Runs, RunWaitOptions } from "./runs.ts";
export type * from "./types.ts";
export type { ClientOptions } from "./wire.ts";

/** What a server offers. Every method throws ClientError. */
export interface FlujoClient {
  readonly runs: Runs;
  readonly experiments: Experiments;
  /** What can be started there. */
  pipelines(): Promise<readonly PipelineView[]>;
  /** One of them, with its places. */
  pipeline(name: string): Promise<{ readonly pipeline: PipelineView; readonly graph: Json }>;
  /** What waits for whom. `for`: only what this person or team is asked, or anybody is. */
  inbox(filter?: { readonly for?: string }): Promise<readonly InboxItem[]>;
  /** The budgets that runs share. */
  budgets(scopes?: readonly string[]): Promise<readonly AccountView[]>;
  /** How runs go: rates, times, costs. */
  stats(filter?: FigureFilter): Promise<StatsView>;
  /** What runs cost, in exact sums. */
  costs(filter?: FigureFilter): Promise<CostsView>;
  /** The versions of pipelines that runs are of. */
  versions(filter?: Omit<FigureFilter, "timeZone">): Promise<VersionsView>;
  /** Two versions, by their fingerprints or the first characters of them. */
  versionDiff(a: string, b: string): Promise<VersionDiff>;
  /** Events that sinks have not been told yet, and those they did not take. */
  outbox(): Promise<Undelivered>;
  /** Sends a dead letter again. */
  resend(id: string): Promise<ResentLetter>;
  /** Forgets a dead letter. */
  drop(id: string): Promise<{ readonly id: string; readonly dropped: boolean }>;
}

/**
 * A client of a Flujo server: `flujo up`, or `flujo lens serve`.
 *
 * ```ts
 * import { client } from "flujo/client";
 *
 * const flujo = client({ url: "http://127.0.0.1:3583" });
 * const { runId } = await flujo.runs.start({ pipeline: "hello", input: "Ada", budget: "$0.50" });
 * for await (const event of flujo.runs.events(runId)) console.log(event.type, event.path);
 * const { run } = await flujo.runs.wait(runId);
 * console.log(run.status, run.output, run.spent.costUsd);
 * ```
 */
export function client(options: ClientOptions): FlujoClient {
  const wire = new Wire(options);
  return {
    runs: new Runs(wire),
    experiments: new Experiments(wire),
    pipelines: async () =>
      (await wire.get<{ readonly pipelines: readonly PipelineView[] }>("/pipelines")).pipelines,
    pipeline: (name) => wire.get(`/pipelines/${encodeURIComponent(name)}`),
    inbox: async (filter = {}) => (await wire.get<Inbox>("/inbox", { ...filter })).items,
    budgets: async (scope) =>
      (await wire.get<{ readonly budgets: readonly AccountView[] }>("/budgets", { scope })).budgets,
    stats: (filter) => wire.get("/stats", written(filter)),
    costs: (filter) => wire.get("/costs", written(filter)),
    versions: (filter) => wire.get("/versions", written(filter)),
    versionDiff: (a, b) => wire.get("/versions/diff", { a, b }),
    outbox: () => wire.get("/outbox"),
    resend: (id) => wire.post(`/outbox/${encodeURIComponent(id)}/resend`, {}),
    drop: (id) => wire.post(`/outbox/${encodeURIComponent(id)}/drop`, {}),
  };
}

const written = ({ createdFrom, createdBefore, ...filter }: FigureFilter = {}) => ({
  ...filter,
  createdFrom: createdFrom?.toISOString(),
  createdBefore: createdBefore?.toISOString(),
});

import type { ModelsOptions } from "./agents/models.ts";
import type { QueueLimits, TenantLimits } from "./core/caps.ts";
import type { Duration } from "./core/duration.ts";
import type { Budget, Usd } from "./core/limits.ts";
import type { SharedScope } from "./core/scopes.ts";
import type { VersionPolicy } from "./engine/options.ts";
import type { HookTable } from "./events/hooks.ts";
import type { Sinks } from "./events/subscription.ts";
import type { Secret } from "./links/secret.ts";
import type { Dispatcher } from "./ports/dispatcher.ts";
import type { Instrument } from "./ports/instrument.ts";
import type { Store } from "./ports/store.ts";
import type { ServerOptions } from "./server/options.ts";

/** What the `flujo` command does when its options say nothing else. */
export interface FlujoConfig {
  /**
   * `"sqlite:PATH"`, `"file:DIR"`, `"postgres://HOST/DATABASE"`, `"redis://HOST"`, `"memory:"`, or a store. Default
   * `"sqlite:.flujo/flujo.db"`.
   */
  readonly store?: string | Store;
  /** The limit of each new run. Default: the pipeline's own `.budget()`, else none. */
  readonly budget?: Usd | Budget;
  /** Shared budgets that every new run is charged to beside its own: names, or names with limits. */
  readonly scopes?: readonly (string | SharedScope)[];
  /**
   * What runs that are submitted are handed to workers by: `"postgres://HOST/DATABASE"` (pg-boss), `"redis://HOST"` (BullMQ),
   * `"restate://HOST:8080"` (Restate), or a dispatcher. Default: workers find them in the store.
   */
  readonly engine?: string | Dispatcher;
  /**
   * How many runs of one tenant are under way at once, over all workers on the store: of any, and of those that are named. Default: no
   * limit.
   */
  readonly tenants?: TenantLimits;
  /**
   * How many runs of a queue are under way at once, and begun in any minute, over all workers on the store:
   * `{ mail: { most: 10, perMinute: 600 } }`. Default: no limits.
   */
  readonly queues?: { readonly [queue: string]: QueueLimits };
  /** Providers and prices of your own. */
  readonly models?: ModelsOptions;
  /** How long a dead process's lease keeps others out. From `"1s"`, default `"15s"`. */
  readonly lease?: Duration;
  /** Under which versions of its pipeline a run may be gone on with: `"strict"`, `"compatible"` (default) or `"force"`. */
  readonly version?: VersionPolicy;
  /** Where events are told, by name: `{ ops: slack({ … }) }` of `flujo/sinks`. */
  readonly sinks?: Sinks;
  /**
   * Functions called with what happens in the runs that a command advances, by type of event, as `flujo.on` calls them:
   * `{ "run-failed": (event, { runId }) => page(runId, event.error.message) }`.
   */
  readonly hooks?: HookTable;
  /**
   * What `flujo up` serves: files, and folders of files, that export pipelines. Default: those of this folder, and of
   * `pipelines` in it.
   */
  readonly pipelines?: string | readonly string[];
  /** Watches the runs: what `initTelemetry()` of `flujo/telemetry` makes. */
  readonly instrument?: Instrument | readonly Instrument[];
  /**
   * What answer links are signed with: 32 characters or more; of several the first signs, and all are honoured. Default:
   * FLUJO_SECRET, else one that the store keeps.
   */
  readonly secret?: Secret | undefined;
  /** Where the HTTP server listens, and who may do what there. */
  readonly server?: ServerOptions;
}

/**
 * The `flujo.config.ts` of a folder: what `flujo` commands started there begin with.
 *
 * ```ts
 * import { defineConfig } from "flujo";
 * ```
 *
 * ```ts
 * export default defineConfig({ store: "sqlite:data/runs.db", budget: "$0.50" });
 * ```
 */
export function defineConfig(config: FlujoConfig): FlujoConfig {
  return config;
}

/** What machines ask an application over HTTP: whether it works, and its figures. */
import { Hono } from "hono";
import { FlujoError } from "../../core/errors.ts";
import type { Backlog, QueueBacklog } from "../../dispatch/backlog.ts";
import type { Store } from "../../ports/store.ts";
import type { PrometheusMetrics } from "../../telemetry/prometheus.ts";
import { ownVersion } from "../version.ts";
import type { Application } from "./application.ts";

/** How it is, as `/health` says it. */
export interface Health {
  readonly status: "ready" | "stopping" | "no-store";
  readonly version: string;
  readonly pipelines: readonly string[];
  /** Runs under way in this process. */
  readonly running: number;
}

/**
 * `/health`: 200 while the store answers, else 503.
 *
 * @param isStopping whether the application is on its way out.
 * @param isGuarded whether strangers may ask: they are told the status, and nothing else.
 */
export function healthApp(
  application: Pick<Application, "running">,
  store: Pick<Store, "cacheGet">,
  names: readonly string[],
  { isStopping, isGuarded }: { readonly isStopping: () => boolean; readonly isGuarded: () => boolean },
): Hono {
  return new Hono().get("/", async (c) => {
    const status = isStopping() ? "stopping" : (await answers(store)) ? "ready" : "no-store";
    const health: Health = { status, version: ownVersion(), pipelines: names, running: application.running };
    c.header("Cache-Control", "no-store");
    return c.json(isGuarded() ? { status } : health, status === "ready" ? 200 : 503);
  });
}

/** Asked for next to nothing: a list is much work where journals are files. */
async function answers(store: Pick<Store, "cacheGet">): Promise<boolean> {
  try {
    await store.cacheGet("health", Date.now());
    return true;
  } catch {
    return false;
  }
}

/** The figures of this process, or why there are none. */
export type Metrics = PrometheusMetrics | { readonly missing: FlujoError };

/** The optional packages are looked for once. */
export async function metricsOf(): Promise<Metrics> {
  try {
    return await (await import("../../telemetry/prometheus.ts")).prometheus();
  } catch (error) {
    if (FlujoError.isInstance(error) && error.code === "missing-package") return { missing: error };
    throw error;
  }
}

/**
 * `/metrics`: for Prometheus.
 *
 * @param queues are told also when nothing waits in them.
 */
export function metricsApp(
  metrics: Metrics,
  application: Pick<Application, "refused">,
  backlog: Backlog,
  queues: readonly string[],
): Hono {
  return new Hono().get("/", async (c) => {
    if ("missing" in metrics) {
      const { message, hint } = metrics.missing;
      return c.text(`${message}. ${hint}\n`, 501);
    }
    const { refused } = application;
    const text =
      (await metrics.text()) +
      gauge("flujo_runs_refused", "Runs that wait and that this process cannot go on with", [["", refused]]) +
      (await waitingText(backlog, queues));
    return c.body(text, 200, { "Content-Type": metrics.contentType });
  });
}

/** What waits in the store, in Prometheus' text format; nothing while the store does not answer. Names of queues need no quotes. */
async function waitingText(backlog: Backlog, queues: readonly string[]): Promise<string> {
  const none: QueueBacklog = { waiting: 0, oldestMs: 0 };
  const found = await backlog.byQueue().catch(() => undefined);
  if (found === undefined) return "";
  const all = [...new Map([...queues.map((queue) => [queue, none] as const), ...found])];
  const byQueue = (value: (one: QueueBacklog) => number) =>
    all.map(([queue, one]) => [`{queue="${queue}"}`, value(one)] as const);
  return (
    gauge(
      "flujo_queue_waiting",
      "Runs in the store that wait for a worker; 2,000 at most",
      byQueue(({ waiting }) => waiting),
    ) +
    gauge(
      "flujo_queue_oldest_seconds",
      "How long the one has waited that has waited longest",
      byQueue(({ oldestMs }) => oldestMs / 1_000),
    )
  );
}

/** @param values by their labels. */
const gauge = (
  name: string,
  help: string,
  values: readonly (readonly [labels: string, value: number])[],
): string =>
  [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...values.map(([labels, value]) => `${name}${labels} ${value}`),
    "",
  ].join("\n");

/** What machines ask an application over HTTP: whether it works, and its figures. */
import { Hono } from "hono";
import { FlujoError } from "../../core/errors.ts";
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
  application: Application,
  store: Store,
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
async function answers(store: Store): Promise<boolean> {
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

/** `/metrics`: for Prometheus. */
export function metricsApp(metrics: Metrics): Hono {
  return new Hono().get("/", async (c) => {
    if ("missing" in metrics) {
      const { message, hint } = metrics.missing;
      return c.text(`${message}. ${hint}\n`, 501);
    }
    return c.body(await metrics.text(), 200, { "Content-Type": metrics.contentType });
  });
}

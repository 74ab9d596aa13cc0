/** A Restate server of the tests' own: its program comes from npm, for some machines. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { restate } from "../../src/dispatch/restate.ts";
import { freePort } from "./postgres.ts";

export interface RestateServer {
  /** As `restate()` takes it. */
  readonly url: string;
  readonly ingress: string;
  readonly admin: string;
  /** Has a first worker, which then ends: only from then on it keeps what is submitted. */
  meet(service?: string): Promise<void>;
  /** Where it calls the handlers of a service. */
  placesOf(service: string): Promise<readonly string[]>;
  /** What it knows of itself, in SQL. */
  query(sql: string): Promise<readonly { readonly [column: string]: string }[]>;
  /** The keys of what a virtual object keeps. */
  stateOf(service: string, key: string): Promise<readonly string[]>;
  /** Ends it at once, as `kill -9` does, and starts it again on what it has kept. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const program = found();

/** Whether there is one to be had. */
export const hasRestate = program !== undefined;

/** Of this machine's kind, where there is one. */
function found(): string | undefined {
  const kind = `@restatedev/restate-server-${process.platform}-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${kind}/bin/restate-server`);
  } catch {
    return undefined;
  }
}

/**
 * @param settings by their variables of the environment.
 * @throws Error where there is none to be had.
 */
export async function restateServer(
  settings: { readonly [variable: string]: string } = {},
): Promise<RestateServer> {
  if (program === undefined) throw new Error("there is no Restate here");
  const file = program;
  const folder = mkdtempSync(join(tmpdir(), "flujo-restate-"));
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(
      file,
      [
        "--no-logo",
        "--listen-mode",
        "tcp",
        "--bind-ip",
        "127.0.0.1",
        "--bind-port",
        `${node}`,
        "--base-dir",
        folder,
      ],
      {
        cwd: folder,
        env: {
          ...process.env,
          RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
          RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
          RESTATE_DEFAULT_NUM_PARTITIONS: "2",
          RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: "256 MB",
          RESTATE_DISABLE_TELEMETRY: "true",
          RUST_LOG: "error",
          ...settings,
        },
        stdio: "ignore",
      },
    );
    await ready(child, [`http://127.0.0.1:${admin}/health`, `http://127.0.0.1:${ingress}/restate/health`]);
    return child;
  };
  let child = await start();
  const url = `restate://127.0.0.1:${ingress}?admin=${admin}`;
  const query: RestateServer["query"] = async (sql) => {
    const answer = await fetch(`http://127.0.0.1:${admin}/query`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query: sql }),
    });
    return ((await answer.json()) as { readonly rows: Awaited<ReturnType<typeof query>> }).rows;
  };
  return {
    url,
    ingress: `http://127.0.0.1:${ingress}`,
    admin: `http://127.0.0.1:${admin}`,
    async meet(service = "flujo-jobs") {
      const dispatcher = restate(url, { service, pollMs: 50 });
      const { promise: met, resolve, reject } = Promise.withResolvers<void>();
      const take = async () => {
        resolve();
        return "done" as const;
      };
      await dispatcher.work({ queues: ["met"], concurrency: 1, take, onTrouble: reject });
      while (!(await fetch(`http://127.0.0.1:${admin}/services/${service}`)).ok) await pause(20);
      await dispatcher.submit({ runId: "first", pipeline: "p", fingerprint: "f", queue: "met" });
      await met;
      await dispatcher.close();
    },
    async placesOf(service) {
      const answer = await fetch(`http://127.0.0.1:${admin}/deployments`);
      const { deployments } = (await answer.json()) as {
        readonly deployments: readonly { uri: string; services: readonly { name: string }[] }[];
      };
      return deployments
        .filter(({ services }) => services.some(({ name }) => name === service))
        .map(({ uri }) => uri);
    },
    query,
    async stateOf(service, key) {
      const where = `service_name = '${service}' and service_key = '${key}'`;
      return (await query(`select key from state where ${where}`)).map((row) => row.key ?? "");
    },
    async restart() {
      await ended(child);
      child = await start();
    },
    async stop() {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Once it says so itself. */
async function ready(child: ChildProcess, urls: readonly string[]): Promise<void> {
  const isWell = (url: string): Promise<boolean> =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await Promise.all(urls.map(isWell))).every(Boolean)) {
    if (child.exitCode !== null)
      throw new Error(`Restate did not start: it ended with code ${child.exitCode}`);
    await pause(50);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

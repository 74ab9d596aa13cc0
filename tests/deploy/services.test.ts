/** The services of docker-compose.yml, as processes. Needs `npm run build`. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { postgres } from "../../src/stores/postgres.ts";
import { databases } from "../servers/databases.ts";
import { type PostgresServer, postgresServer } from "../servers/postgres.ts";
import { composition, example, words } from "./files.ts";

const root = join(import.meta.dirname, "../..");
const token = "0123456789abcdef0123456789abcdef";
const { services } = composition({ POSTGRES_PASSWORD: "secret", FLUJO_TOKEN: token });

databases("postgres", "the services of docker-compose.yml", () => {
  let folder: string;
  let server: PostgresServer;
  let store: Store;
  const alive = new Set<ChildProcess>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flujo-deploy-"));
    cpSync(example, folder, { recursive: true });
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/flujo"));
    server = await postgresServer({ fsync: "on" });
    store = postgres(server.url);
  });
  afterAll(async () => {
    for (const child of alive) child.kill("SIGKILL");
    await Promise.all([...alive].map((child) => once(child, "exit")));
    await store.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  interface Process {
    readonly child: ChildProcess;
    readonly said: () => string;
    readonly exit: Promise<number | null>;
  }

  function run(command: readonly string[], [program, ...before] = words("ENTRYPOINT")): Process {
    const args = [...before, ...command].map((arg) => arg.replace(/^\/app\//, `${folder}/`));
    const child = spawn(program === "node" ? process.execPath : (program ?? ""), args, {
      cwd: folder,
      env: { PATH: process.env.PATH, NODE_ENV: "production", FLUJO_TOKEN: token, FLUJO_STORE: server.url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    alive.add(child);
    const exit = new Promise<number | null>((resolve) => {
      child.once("close", (code) => {
        alive.delete(child);
        resolve(code);
      });
    });
    return { child, said: () => said, exit };
  }

  /** A service, at a port of its own: here they all are on one machine. */
  async function served(name: "worker" | "dashboard"): Promise<Process & { readonly url: string }> {
    const { command = [] } = services[name] ?? {};
    const there = command.map((arg) => ({ "3583": "0", "0.0.0.0": "127.0.0.1" })[arg] ?? arg);
    const process = run(there);
    await expect.poll(() => process.said().includes("Listening at") || process.child.exitCode).toBe(true);
    return { ...process, url: /Listening at (\S+)/.exec(process.said())?.[1] ?? process.said() };
  }

  const isHealthy = async (url: string): Promise<boolean> => {
    const [program, ...args] = words("HEALTHCHECK").map((word) => word.replace("http://127.0.0.1:3583", url));
    return (await run([], [program ?? "", ...args]).exit) === 0;
  };

  const api = async (url: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    expect(response.ok, `${path}: ${response.status}`).toBe(true);
    return response.json();
  };

  const ids = Array.from({ length: 12 }, (_, i) => `claim-${i}`);
  const submitted = (id: string, pages: number) =>
    run(["submit", "claims.ts", "--input-json", JSON.stringify({ pages }), "--run-id", id]);

  const statuses = async () =>
    new Map((await store.list({ limit: 100 })).map(({ runId, status }) => [runId, status]));

  const standing = async (): Promise<number> =>
    [...(await statuses()).values()].filter((status) => status !== "running").length;

  test("the doctor finds nothing at fault with the database, and lets the others begin", async () => {
    const doctor = run(services.doctor?.command ?? []);
    expect([await doctor.exit, doctor.said()]).toEqual([0, expect.stringContaining("Nothing is at fault")]);
  });

  test("runs are done by the workers while these are stopped, killed and started again: each once, to its end", async () => {
    const replicas = services.worker?.deploy?.replicas ?? 0;
    expect(replicas).toBe(2);
    const workers = await Promise.all(Array.from({ length: replicas }, () => served("worker")));
    const dashboard = await served("dashboard");
    for (const { url } of [...workers, dashboard]) expect(await isHealthy(url)).toBe(true);
    for (const [i, id] of ids.entries()) expect(await submitted(id, 10 + i).exit).toBe(0);
    const [first, second] = workers;
    first?.child.kill("SIGTERM");
    expect([await first?.exit, first?.said()]).toEqual([0, expect.stringContaining("Stopped")]);
    second?.child.kill("SIGKILL");
    const third = await served("worker");
    await expect.poll(standing).toBe(ids.length);
    const asked = [...(await statuses())].filter(([, status]) => status === "waiting").map(([id]) => id);
    expect(asked).toEqual(["claim-11"]); // one is longer than twenty pages
    await api(dashboard.url, "/runs/claim-11/signals", {
      path: "/claims/decide[person]/approve",
      data: { approved: true },
    });
    await expect.poll(async () => (await statuses()).get("claim-11")).toBe("completed");
    for (const [i, id] of ids.entries()) {
      const done = (await store.read(id, 0, 1_000))?.flatMap((entry) =>
        entry.type === "step-completed" ? [entry.path] : [],
      );
      expect(new Set(done).size, id).toBe(done?.length);
      expect(done?.filter((path) => path.endsWith("/read")).length, id).toBe(10 + i);
    }
    for (const { child } of [third, dashboard]) child.kill("SIGTERM");
    expect(await Promise.all([third.exit, dashboard.exit])).toEqual([0, 0]);
    expect(await isHealthy(dashboard.url)).toBe(false);
  });

  test("what was done is there when all are started again, and a run is not made twice", async () => {
    const dashboard = await served("dashboard");
    expect(await api(dashboard.url, "/runs/claim-3")).toMatchObject({ run: { status: "completed" } });
    const again = submitted("claim-3", 13);
    expect([await again.exit, again.said()]).toEqual([0, expect.stringContaining("was there already")]);
    dashboard.child.kill("SIGTERM");
    expect(await dashboard.exit).toBe(0);
  });
});

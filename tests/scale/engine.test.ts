/** `flujo submit` and `flujo worker` with an engine between them. Needs `npm run build`. */
import { Redis } from "ioredis";
import pg from "pg";
import { expect, test } from "vitest";
import { databases } from "../servers/databases.ts";
import { freePort, postgresServer } from "../servers/postgres.ts";
import { redisServer } from "../servers/redis.ts";
import { restateServer } from "../servers/restate.ts";
import { Application } from "../up/application.ts";

databases("postgres", "pg-boss between submit and worker", () => {
  test("a worker that is handed a run does it, and its job is done with", async () => {
    const server = await postgresServer();
    try {
      const app = new Application();
      const to = ["--engine", server.url];
      const { code, stdout } = await app.flujo("submit", "line.ts", "--input", "x", "--run-id", "r", ...to);
      expect([code, stdout]).toEqual([0, "r\n"]);
      const worker = app.begin(["worker", ...to]);
      await worker.saw("Handed runs by pg-boss on postgres://127.0.0.1");
      await worker.saw("completed  r  line");
      worker.kill("SIGTERM");
      expect((await worker.ended).code).toBe(0);
      const client = new pg.Client(server.url);
      await client.connect();
      const { rows } = await client.query("select name, state, singleton_key from flujo_jobs.job");
      await client.end();
      expect(rows).toEqual([{ name: "default", state: "completed", singleton_key: "r" }]);
    } finally {
      await server.stop();
    }
  });
});

databases("redis", "BullMQ between submit and worker", () => {
  test("a worker that is handed a run does it, and its job is done with", async () => {
    const server = await redisServer();
    try {
      const app = new Application();
      const to = ["--engine", server.url];
      const { code, stdout } = await app.flujo("submit", "line.ts", "--input", "x", "--run-id", "r", ...to);
      expect([code, stdout]).toEqual([0, "r\n"]);
      const client = new Redis(server.url);
      const waiting = await client.exists("{flujo-jobs}:default:r");
      const worker = app.begin(["worker", ...to]);
      await worker.saw("Handed runs by BullMQ on redis://127.0.0.1");
      await worker.saw("completed  r  line");
      worker.kill("SIGTERM");
      expect((await worker.ended).code).toBe(0);
      expect([waiting, await client.exists("{flujo-jobs}:default:r")]).toEqual([1, 0]);
      client.disconnect();
    } finally {
      await server.stop();
    }
  });
});

databases("restate", "Restate between submit and worker", () => {
  test("a worker that is handed a run does it, and its job is done with", async () => {
    const server = await restateServer();
    try {
      const app = new Application();
      const to = ["--engine", server.url];
      const submit = (runId: string) =>
        app.flujo("submit", "line.ts", "--input", "x", "--run-id", runId, ...to);
      const worker = app.begin(["worker", ...to]);
      await worker.saw("Handed runs by Restate on restate://127.0.0.1");
      await expect.poll(async () => (await fetch(`${server.admin}/services/flujo-jobs`)).status).toBe(200);
      expect(await submit("r")).toMatchObject({
        code: 0,
        stdout: "r\n",
        stderr: expect.not.stringContaining("reached"),
      });
      await worker.saw("completed  r  line");
      await expect.poll(() => server.stateOf("flujo-jobs", "default")).not.toContain("job r");
      worker.kill("SIGTERM");
      expect((await worker.ended).code).toBe(0);
      await submit("s"); // while nobody works
      const next = app.begin(["worker", ...to]);
      await next.saw("completed  s  line");
      await expect.poll(() => server.stateOf("flujo-jobs", "default")).not.toContain("job s");
      const lost = app.begin(["worker", "--engine", `${server.url}&at=http://127.0.0.1:1`]);
      await lost.saw("does not reach this worker at http://127.0.0.1:1");
      await lost.saw("Say where it listens, and where Restate finds it");
    } finally {
      await server.stop();
    }
  });
});

test.each(["postgres", "redis", "restate"])(
  "where the engine, %s, is away, the run is in the store and whoever submits it is told",
  async (scheme) => {
    const app = new Application();
    const nowhere = `${scheme}://flujo:secret@127.0.0.1:${await freePort()}/0`;
    const submit = ["submit", "line.ts", "--input", "x", "--run-id", "r", "--engine", nowhere];
    const { code, stdout, stderr } = await app.flujo(...submit);
    expect([code, stdout]).toEqual([0, "r\n"]);
    expect(stderr).toContain("cannot be reached");
    expect(stderr).toContain("workers find it there");
    expect(stderr).not.toContain("secret");
    expect((await app.listing("r"))?.status).toBe("running");
  },
);

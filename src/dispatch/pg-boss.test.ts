import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { behind } from "../../tests/dispatch/behind.ts";
import { databases } from "../../tests/servers/databases.ts";
import { poolerOf } from "../../tests/servers/pooler.ts";
import { type PostgresServer, postgresServer } from "../../tests/servers/postgres.ts";
import { testDispatcher } from "../testing/test-dispatcher.ts";
import { pgBoss } from "./pg-boss.ts";

const hour = 3_600_000;

databases("postgres", "pg-boss", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  });
  afterAll(() => server.stop());

  testDispatcher(
    "pg-boss",
    async () => {
      const schema = `s_${randomUUID().replaceAll("-", "")}`;
      const first = pgBoss(server.url, { schema, pollMs: 50, restMs: 500 });
      await first.submit({ runId: "first", pipeline: "p", fingerprint: "f", queue: "made" }); // which makes the tables
      await first.close();
      return {
        ...(await behind([server.url], ([url = ""], pace) => pgBoss(url, { schema, ...pace }))),
        async forget() {
          const client = new pg.Client(server.url);
          await client.connect();
          await client.query(
            `update ${schema}.job set heartbeat_on = now() - interval '1 hour' where state = 'active'`,
          );
          await client.end();
          await expireIn(server.url, schema);
        },
      };
    },
    { describe, it },
  );

  it("refuses an address to listen at that is none", () => {
    expect(() => pgBoss("postgres://db/app?listen=nowhere")).toThrow("the address to listen at");
  });

  it("shows no password", () => {
    expect(pgBoss("postgres://ana:secret@db/app").name).toBe("pg-boss on postgres://db/app");
  });
});

databases("pooler", "pg-boss behind a pooler", () => {
  it("takes jobs by looking, for it hears nothing there; and is told of them past it", async () => {
    const server = await postgresServer();
    const pooler = await poolerOf(server.url);
    const schema = `s_${randomUUID().replaceAll("-", "")}`;
    const near = pgBoss(server.url, { schema });
    const workers = [
      pgBoss(pooler.url, { schema, pollMs: 50, restMs: hour }),
      pgBoss(`${pooler.url}?listen=${encodeURIComponent(server.url)}`, {
        schema,
        pollMs: hour,
        restMs: hour,
      }),
    ];
    for (const [i, worker] of workers.entries()) {
      const taken: string[] = [];
      await worker.work({
        queues: [`q${i}`],
        concurrency: 5,
        take: async ({ runId }) => {
          taken.push(runId);
          return "done";
        },
        onTrouble: () => {},
      });
      for (const runId of ["a", "b"]) {
        await near.submit({ runId, pipeline: "p", fingerprint: "f", queue: `q${i}` });
        await expect.poll(() => taken).toContain(runId);
      }
    }
    await Promise.all([near, ...workers].map((one) => one.close()));
    await pooler.stop();
    await server.stop();
  });
});

/** What pg-boss does by itself once a minute. */
async function expireIn(connectionString: string, schema: string): Promise<void> {
  const { PgBoss } = await import("pg-boss");
  const boss = await new PgBoss({ connectionString, schema, supervise: false }).start();
  await boss.supervise("default");
  await boss.stop({ graceful: false });
}

import { expect, it } from "vitest";
import { bullmq } from "../../src/dispatch/bullmq.ts";
import { checkUp } from "../../src/stores/redis/checkup.ts";
import { settingsOf } from "../../src/stores/redis/settings.ts";
import { redis } from "../../src/stores/redis.ts";
import { databases } from "../servers/databases.ts";
import { redisCluster, watchedRedis } from "../servers/redis-cluster.ts";
import { survives } from "./survives.ts";

databases("own redis", "where Redis servers stand in for one another", () => {
  it("a run and BullMQ's jobs go on in a cluster that moves their slot to another node, which then dies", async () => {
    const cluster = await redisCluster();
    const jobs = await jobsOn(cluster.url);
    expect(await checkUp(settingsOf(cluster.url, {}))).toMatchObject({ log: false, replicas: 1 });
    const format = "{flujo}:format";
    const store = redis(cluster.url);
    await store.putNote("a", 1, undefined);
    await cluster.move(format, async () => {
      await expect(store.putNote("b", 2, undefined)).rejects.toMatchObject({
        ...{ code: "store-unavailable", retryable: true },
        message: expect.stringContaining("the cluster is moving what the store has to another node"),
      });
    });
    await store.putNote("b", 2, undefined);
    await survives(cluster, store, [
      () => cluster.move(format),
      () => cluster.kill(format),
      () => jobs.come(),
    ]);
  });

  it("a run and BullMQ's jobs go on with the replica that a Sentinel names when the primary is dead", async () => {
    const server = await watchedRedis();
    const jobs = await jobsOn(server.url);
    await survives(server, redis(server.url), [server.kill, () => jobs.come()]);
  });
});

/** A worker has been handed a job, and another one is to reach it. */
async function jobsOn(url: string): Promise<{ come(): Promise<void> }> {
  const engine = bullmq(url, { prefix: "{flujo}-jobs", pollMs: 50 }); // beside the store
  const taken: string[] = [];
  const take = async ({ runId }: { readonly runId: string }) => {
    taken.push(runId);
    return "done" as const;
  };
  await engine.work({ queues: ["default"], concurrency: 1, take, onTrouble: () => {} });
  const submit = (runId: string): Promise<void> =>
    engine.submit({ runId, pipeline: "p", fingerprint: "f" }).catch(() => submit(runId));
  await submit("before");
  await expect.poll(() => taken).toContain("before");
  return {
    async come() {
      await submit("after");
      await expect.poll(() => taken).toContain("after");
      await engine.close();
    },
  };
}

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { redis } from "../redis.ts";
import { storeError } from "./faults.ts";

/** A server that greets as one does, and answers every command that is sent to it then in one way. */
async function answering(answer: (near: Socket) => void) {
  const info = "redis_version:7.0.15\r\n";
  const server = createServer((near) => {
    near.on("error", () => {});
    near.on("data", (bytes) => {
      for (const command of bytes
        .toString()
        .split(/\*\d+\r\n/)
        .slice(1)) {
        const [, name = ""] = command.split("\r\n");
        if (/^client$/i.test(name)) near.write("+OK\r\n");
        else if (/^info$/i.test(name)) near.write(`$${info.length}\r\n${info}\r\n`);
        else answer(near);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return { server, url: `redis://127.0.0.1:${port}` };
}

const saying = (line: string) => (near: Socket) => void near.write(`-${line}\r\n`);

test.each([
  ["READONLY You can't write against a read only replica.", true],
  ["LOADING Redis is loading the dataset in memory", true],
  ["BUSY Redis is busy running a script.", true],
  ["UNKILLABLE Sorry the script already executed write commands", true],
  ["MISCONF Redis is configured to save RDB snapshots", true],
  ["OOM command not allowed when used memory > 'maxmemory'.", true],
  ["NOREPLICAS Not enough good replicas to write.", true],
  ["MASTERDOWN Link with MASTER is down", true],
  ["CLUSTERDOWN The cluster is down", true],
  ["ERR max number of clients reached", true],
  ["NOAUTH Authentication required.", false],
  ["ERR a word that nobody knows", false],
])("a server that says %j is not available, for all that is asked of it", async (line, retryable) => {
  const { server, url } = await answering(saying(line));
  const store = redis(url, { patience: "1s" });
  const asked = [
    store.signals("r"),
    store.commit([]),
    store.blob("x"),
    store.list({}),
    store.cacheGet("k", 0),
  ];
  for (const one of await Promise.allSettled(asked)) {
    expect(one).toMatchObject({
      status: "rejected",
      reason: { code: "store-unavailable", retryable, hint: expect.stringMatching(/./) },
    });
  }
  await store.close();
  server.close();
});

test.each([
  ["breaks off", (near: Socket) => void near.destroy()],
  ["ends in the middle of an answer", (near: Socket) => void near.end("$100\r\nhalf")],
])("a server that %s is not available, and may be soon", async (_, answer) => {
  const { server, url } = await answering(answer);
  const store = redis(url, { patience: "1s" });
  await expect(store.signals("r")).rejects.toMatchObject({ code: "store-unavailable", retryable: true });
  await store.close();
  server.close();
});

test.each([
  ["ReplyError: TRYAGAIN Multiple keys request during rehashing of slot", /is moving what the store has/],
  ["ReplyError: MOVED 1 127.0.0.1:7000", /is moving what the store has/],
  ["ReplyError: CLUSTERDOWN The cluster is down", /the cluster is down/],
  ["Error: Connection is closed.", /does not answer/],
])("where a cluster sends one about until the last one says %j, it may be well soon", (said, message) => {
  const error = new Error(`Too many Cluster redirections. Last error: ${said}`);
  expect(storeError(error, "redis")).toMatchObject({
    ...{ code: "store-unavailable", retryable: true },
    message: expect.stringMatching(message),
  });
});

test("a mistake of ours is left as it is", () => {
  const error = new TypeError("no function");
  expect(storeError(error, "redis")).toBe(error);
});

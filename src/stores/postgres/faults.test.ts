import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { postgres } from "../postgres.ts";
import { storeError } from "./faults.ts";
import { again } from "./transaction.ts";

/** A message of the server: its letter, its length, its body. */
function message(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const welcome = message("R", Buffer.alloc(4));
const ready = message("Z", Buffer.from("I"));
const error = (state: string): Buffer =>
  message("E", Buffer.from(`SERROR\0C${state}\0Mas the server says\0\0`));

/** A server that lets everybody in, unless `greeting` says otherwise, and answers every statement in one way. */
async function answering(greeting: Buffer, answer: (near: Socket) => void) {
  const server = createServer((near) => {
    near.on("error", () => {});
    near.once("data", () => {
      near.write(greeting);
      near.on("data", () => answer(near));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return { server, url: `postgres://me:secret@127.0.0.1:${port}/app` };
}

const entry = Buffer.concat([welcome, ready]);
const saying = (state: string) => (near: Socket) => void near.write(Buffer.concat([error(state), ready]));

test.each([
  ["08006", "store-unavailable", true], // the connection is lost
  ["25006", "store-unavailable", true], // only reads
  ["40001", "store-unavailable", true], // others were in the way, again and again
  ["40P01", "store-unavailable", true],
  ["53100", "store-unavailable", true], // the disk is full
  ["53300", "store-unavailable", true], // too many connections
  ["55P03", "store-unavailable", true], // a lock
  ["57014", "store-unavailable", true], // too late
  ["57P01", "store-unavailable", true], // it is told to end
  ["57P02", "store-unavailable", true], // it is ending by a crash
  ["57P03", "store-unavailable", true], // it is starting
  ["42501", "store-unavailable", false], // no leave
  ["XX000", "store-unavailable", false], // something went wrong in it
  ["42P99", "store-unavailable", false], // what nobody knows
  ["XX001", "store-corrupt", false], // what is there is not what was written
])("a server that says %s: %s, for all that is asked of it", async (state, code, retryable) => {
  for (const greeting of [entry, error(state)]) {
    const { server, url } = await answering(greeting, saying(state));
    const store = postgres(url, { patience: "1s", listen: false });
    const lease = { runId: "r", owner: "me", fence: 1, expiresAt: 0 };
    const asked = [
      store.signals("r"),
      store.renew(lease, 1),
      store.release(lease),
      store.blob("x"),
      store.list({}),
    ];
    for (const one of await Promise.allSettled(asked))
      expect(one).toMatchObject({ status: "rejected", reason: { code, retryable } });
    await store.close();
    server.close();
  }
});

test.each([
  ["breaks off", (near: Socket) => void near.destroy()],
  ["ends in the middle of an answer", (near: Socket) => void near.end(error("57P01").subarray(0, 9))],
  ["says what it was not asked for", (near: Socket) => void near.write(message("D", Buffer.alloc(2)))],
])("a server that %s is not available, and may be soon", async (_, answer) => {
  const { server, url } = await answering(entry, answer);
  const store = postgres(url, { patience: "1s", listen: false });
  await expect(store.signals("r")).rejects.toMatchObject({ code: "store-unavailable", retryable: true });
  await store.close();
  server.close();
});

test("a mistake of ours is left as it is", () => {
  const mistake = new TypeError("no function");
  expect(storeError(mistake, "postgres")).toBe(mistake);
});

test.each([
  ["40001", 5],
  ["40P01", 5],
  ["23505", 1],
  ["08006", 1],
])(
  "what fails with %s is done %i times at most: again only where the server has undone it",
  async (code, most) => {
    let times = 0;
    const failing = (upTo: number) =>
      again(async () => {
        times += 1;
        if (times <= upTo) throw Object.assign(new Error("no"), { code });
        return times;
      });
    await expect(failing(9)).rejects.toThrow("no");
    expect(times).toBe(most);
    times = 0;
    if (most > 1) expect(await failing(2)).toBe(3);
  },
);

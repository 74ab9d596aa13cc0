import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from "vitest";
import { behind } from "../../tests/dispatch/behind.ts";
import { databases } from "../../tests/servers/databases.ts";
import { gateTo } from "../../tests/servers/gate.ts";
import { freePort } from "../../tests/servers/postgres.ts";
import { type RestateServer, restateServer } from "../../tests/servers/restate.ts";
import { frontOf, hasOpenssl } from "../../tests/servers/tls.ts";
import type { Dispatcher, Job, Taken } from "../ports/dispatcher.ts";
import { testDispatcher } from "../testing/test-dispatcher.ts";
import { type RestateOptions, restate } from "./restate.ts";

databases("restate", "Restate", () => {
  let server: RestateServer;
  beforeAll(async () => {
    server = await restateServer();
  });
  afterAll(() => server.stop());

  testDispatcher(
    "Restate",
    async () => {
      const service = `jobs-${randomUUID()}`;
      await server.meet(service);
      return {
        ...(await behind([server.ingress, server.admin], ([ingress = "", admin = ""], pace) =>
          restate(ingress.replace("http", "restate"), { admin, service, ...pace }),
        )),
        forget: () => lapse(server, service),
      };
    },
    { describe, it },
  );

  it("goes on where the worker dies that reckons its queues: another one does from then on, and what hung comes through", async () => {
    const service = `jobs-${randomUUID()}`;
    const taken: string[] = [];
    const worker = async (options: RestateOptions = {}) => {
      const dispatcher = restate(server.url, { service, pollMs: 50, ...options });
      const take = async ({ runId }: Job): Promise<Taken> => {
        taken.push(runId);
        return "done";
      };
      await dispatcher.work({ queues: ["default"], concurrency: 5, take, onTrouble: () => {} });
      return dispatcher;
    };
    const job = (runId: string): Job => ({ runId, pipeline: "p", fingerprint: "f" });
    await server.meet(service);
    const before = await server.placesOf(service);
    const heir = await worker();
    await expect.poll(() => server.placesOf(service)).not.toEqual(before); // else it may be the newest yet
    const port = await freePort();
    const way = await gateTo(`http://127.0.0.1:${port}`);
    const mortal = await worker({ listen: `${port}`, at: way.url });
    await expect.poll(() => server.placesOf(service)).toEqual([way.url]);
    await way.shut();
    await mortal.submit(job("a"));
    await expect.poll(() => taken).toEqual(["a"]);
    expect(await server.placesOf(service)).not.toEqual([way.url]);
    await heir.submit(job("b"));
    await expect.poll(() => taken).toEqual(["a", "b"]);
    await mortal.close();
    await heir.close();
  });

  it("is not held up by what is no job, whoever sends it", async () => {
    const service = `jobs-${randomUUID()}`;
    await server.meet(service);
    const dispatcher = restate(server.url, { service, pollMs: 50 });
    const taken: string[] = [];
    const take = async ({ runId }: Job): Promise<Taken> => {
      taken.push(runId);
      return "done";
    };
    await dispatcher.work({ queues: ["default"], concurrency: 5, take, onTrouble: () => {} });
    for (const body of ["{}", '"x"', "[null]", '[{"job":{"priority":"high"}}]', "", "<"]) {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${server.ingress}/${service}/default/add`, {
        method: "POST",
        headers,
        body,
      });
      expect([400, 500]).toContain(answer.status);
    }
    await dispatcher.submit({ runId: "a", pipeline: "p", fingerprint: "f" });
    await expect.poll(() => taken).toEqual(["a"]);
    await dispatcher.close();
  });

  it("leaves nothing in Restate of calls that were answered", async () => {
    const service = `jobs-${randomUUID()}`;
    await server.meet(service);
    const completed = `target_service_name = '${service}' and status = 'completed'`;
    expect(await server.query(`select id from sys_invocation where ${completed}`)).toEqual([]);
  });

  it("says so where Restate does not reach a worker, and how that is set right", async () => {
    const dispatcher = restate(server.url, { service: `jobs-${randomUUID()}`, at: "http://127.0.0.1:1" });
    const troubles: unknown[] = [];
    const onTrouble = (trouble: unknown) => void troubles.push(trouble);
    await dispatcher.work({ queues: ["default"], concurrency: 5, take: async () => "done", onTrouble });
    await expect.poll(() => troubles.length).toBe(1);
    expect(troubles[0]).toMatchObject({
      message: expect.stringContaining("does not reach this worker at http://127.0.0.1:1"),
      hint: expect.stringContaining("at=http://HOST:9080"),
    });
    await dispatcher.close();
  });

  it("is told by whoever submits before any worker was there: the run is for those that look into the store", async () => {
    const dispatcher = restate(server.url, { service: `jobs-${randomUUID()}` });
    await expect(dispatcher.submit({ runId: "a", pipeline: "p", fingerprint: "f" })).rejects.toMatchObject({
      code: "dispatcher-unavailable",
      message: expect.stringContaining("no worker has been there yet"),
    });
  });
});

databases("restate", "Restate with locks", () => {
  it("has what workers listen at called by whoever signs with a key that is named, and by nobody else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flujo-identity-"));
    const [mine, others] = [keyPair(), keyPair()];
    writeFileSync(join(folder, "key.pem"), mine.privatePem);
    const server = await restateServer({
      RESTATE_REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE: join(folder, "key.pem"),
    });
    onTestFinished(async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    });
    const stranger = restate(`${server.url}&identity=${others.publicKey}`);
    const troubles: unknown[] = [];
    const onTrouble = (trouble: unknown) => void troubles.push(trouble);
    await stranger.work({ queues: ["default"], concurrency: 1, take: async () => "done", onTrouble });
    await expect
      .poll(() => troubles[0])
      .toMatchObject({ message: expect.stringContaining("does not reach") });
    await stranger.close();

    const port = await freePort();
    const identity = `${others.publicKey},${mine.publicKey}`;
    const dispatcher = restate(`${server.url}&listen=${port}&identity=${identity}`, { pollMs: 50 });
    expect(await handedOver(dispatcher)).toEqual(["a"]);
    const session = connect(`http://127.0.0.1:${port}`);
    const [unsigned] = await once(session.request({ ":path": "/discover" }), "response");
    expect(unsigned[":status"]).toBe(401);
    session.destroy();
    await dispatcher.close();
  });

  it.runIf(hasOpenssl)(
    "is reached over TLS, with a token, by workers and by who submits; without the token by nobody",
    async () => {
      const server = await restateServer();
      const [ingress, admin] = [
        await frontOf(server.ingress, "s/ecret"),
        await frontOf(server.admin, "s/ecret"),
      ];
      onTestFinished(async () => {
        for (const front of [admin, ingress]) front.close();
        await server.stop();
      });
      const { host } = new URL(ingress.url);
      const options = { pollMs: 50, admin: new URL(admin.url).port };
      const dispatcher = restate(`restates://s%2Fecret@${host}`, options);
      expect(await handedOver(dispatcher)).toEqual(["a"]);
      await dispatcher.close();
      await expect(
        restate(`restates://${host}`, options).submit({ ...job, runId: "b" }),
      ).rejects.toMatchObject({
        message: expect.stringContaining("it says 401: who are you?"),
      });
    },
  );
});

const job: Job = { runId: "a", pipeline: "p", fingerprint: "f" };

/** Who has been there as a worker gets the job that is submitted then. */
async function handedOver(dispatcher: Dispatcher): Promise<readonly string[]> {
  const taken: string[] = [];
  const take = async ({ runId }: Job): Promise<Taken> => {
    taken.push(runId);
    return "done";
  };
  await dispatcher.work({ queues: ["default"], concurrency: 1, take, onTrouble: () => {} });
  const submit = (): Promise<void> => dispatcher.submit(job).catch(submit); // its queues are being made
  await submit();
  await expect.poll(() => taken).not.toEqual([]);
  return taken;
}

/** As Restate has them: the public one as 32 bytes to the base 58. */
function keyPair(): { readonly privatePem: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const bytes = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  let text = "";
  for (let rest = BigInt(`0x${bytes.toString("hex")}`); rest > 0n; rest /= 58n)
    text = `${digits[Number(rest % 58n)]}${text}`;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  const privatePem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { privatePem, publicKey: `publickeyv1_${text}` };
}

test.each([
  "http://localhost:8080",
  "restate:",
  "restate://localhost:8080?admin=x",
  "restate://localhost:8080?listen=0.0.0.0",
  "restate://localhost:8080?at=worker:9080",
  "restate://localhost:8080?identity=secret",
])("%s is refused", (address) => {
  expect(() => restate(address)).toThrow(expect.objectContaining({ code: "invalid-option" }));
});

it("sends its token, the delay and nothing else beside the job", async () => {
  const requests: unknown[] = [];
  const ingress = createServer(async (request, response) => {
    const { method, url, headers } = request;
    requests.push({ method, url, token: headers.authorization, body: await json(request) });
    response.writeHead(202).end("{}");
  });
  await new Promise<void>((resolve) => ingress.listen(0, "127.0.0.1", resolve));
  const { port } = ingress.address() as AddressInfo;
  const job = { runId: "r", pipeline: "p", fingerprint: "f", queue: "mail", delayMs: 1_500 };
  await restate(`restate://s%2Fecret@127.0.0.1:${port}`).submit(job);
  expect(requests).toEqual([
    {
      method: "POST",
      url: "/flujo-jobs/mail/add/send?delay=1500ms",
      token: "Bearer s/ecret",
      body: [{ job, left: 0 }],
    },
  ]);
  ingress.closeAllConnections();
  ingress.close();
});

it("shows no token", () => {
  expect(restate("restates://secret@cloud:443/").name).toBe("Restate on restates://cloud:443");
});

/** Lets all workers of the queue `default` count as dead. */
async function lapse({ admin, query }: RestateServer, service: string): Promise<void> {
  const where = `service_name = '${service}' and service_key = 'default'`;
  const rows = await query(`select key, value_utf8 from state where ${where}`);
  const state = rows.map(({ key = "", value_utf8: value = "" }) => {
    const then = key === "alive" ? value.replaceAll(/:\d+/g, ":0") : value;
    return [key, [...Buffer.from(then)]] as const;
  });
  const changed = await fetch(`${admin}/services/${service}/state`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ object_key: "default", new_state: Object.fromEntries(state) }),
  });
  expect(changed.status).toBe(202);
}

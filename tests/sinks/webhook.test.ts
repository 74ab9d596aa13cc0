import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { pipeline, step } from "../../src/core/compose.ts";
import { humanInTheLoop } from "../../src/core/pauses.ts";
import { webhook } from "../../src/events/sinks.ts";
import { Flujo } from "../../src/flujo.ts";
import { delivery } from "./delivery.ts";
import { type HttpReceiver, httpReceiver } from "./http-receiver.ts";

const newSecret = (): string => `whsec_${randomBytes(32).toString("base64")}`;
const greet = pipeline(
  "greet",
  step("hello", (name: string) => `Hello, ${name}!`),
);

async function receiving(): Promise<HttpReceiver> {
  const receiver = await httpReceiver();
  onTestFinished(() => receiver.close());
  return receiver;
}

const headersOf = ({ headers }: HttpReceiver["received"][number]) => headers as Record<string, string>;

test("the receiving library verifies what it gets, and refuses what was changed on its way", async () => {
  const receiver = await receiving();
  const secret = newSecret();
  const flujo = new Flujo(greet, { sinks: { hooks: webhook({ url: receiver.url, secret }) } });
  await flujo.run("Ada", { runId: "r" });
  await flujo[Symbol.asyncDispose]();
  const [got] = receiver.received;
  if (got === undefined) throw new Error("nothing came");
  expect(new Webhook(secret).verify(got.body, headersOf(got))).toEqual({
    type: "run-completed",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    data: {
      type: "run-completed",
      runId: "r",
      pipeline: "greet",
      seq: 2,
      at: expect.any(String),
      path: "/",
      runCostUsd: "0",
    },
  });
  expect(got.body).not.toContain("Ada");
  for (const changed of [
    { body: got.body.replace("greet", "great"), headers: headersOf(got) },
    { body: got.body, headers: { ...headersOf(got), "webhook-id": "evt_another" } },
    {
      body: got.body,
      headers: { ...headersOf(got), "webhook-timestamp": String(Math.floor(Date.now() / 1_000) + 1) },
    },
  ]) {
    expect(() => new Webhook(secret).verify(changed.body, changed.headers)).toThrow("No matching signature");
  }
  expect(() => new Webhook(newSecret()).verify(got.body, headersOf(got))).toThrow("No matching signature");
});

test("links that answer a question do not leave by themselves; a template may send them", async () => {
  const receiver = await receiving();
  const secret = newSecret();
  const flujo = new Flujo(pipeline("q3", humanInTheLoop("approve", { prompt: () => "Publish?" })), {
    publicUrl: "https://flujo.example",
    sinks: {
      plain: webhook({ url: receiver.url, secret }),
      asked: webhook({ url: receiver.url, secret, body: ({ links }) => links }),
    },
  });
  await flujo.run(undefined as never, { runId: "r" });
  await flujo[Symbol.asyncDispose]();
  const bodies = receiver.received.map(({ body }) => JSON.parse(body));
  expect(bodies.find(({ type }) => type === "signal-awaited")).toBeDefined();
  expect(receiver.received.filter(({ body }) => body.includes("/answer/"))).toHaveLength(1);
  expect(bodies.find(({ type }) => type === undefined)).toMatchObject({
    answer: expect.stringMatching(/^https:\/\/flujo\.example\/answer\//),
    approve: expect.any(String),
    reject: expect.any(String),
  });
});

test("while secrets are changed, receivers of the old one and of the new one verify it", async () => {
  const receiver = await receiving();
  const secrets = [newSecret(), newSecret()];
  const flujo = new Flujo(greet, { sinks: { hooks: webhook({ url: receiver.url, secret: secrets }) } });
  await flujo.run("Ada");
  await flujo[Symbol.asyncDispose]();
  const [got] = receiver.received;
  if (got === undefined) throw new Error("nothing came");
  for (const secret of secrets) new Webhook(secret).verify(got.body, headersOf(got));
});

test("a template sends what it asks for, and nothing else", async () => {
  const receiver = await receiving();
  const secret = newSecret();
  const to = webhook({
    url: receiver.url,
    secret,
    body: ({ event }) => ({ said: event.type === "run-completed" ? event.output : undefined }),
  });
  const flujo = new Flujo(greet, { sinks: { hooks: to } });
  await flujo.run("Ada");
  await flujo[Symbol.asyncDispose]();
  expect(receiver.received.map(({ body }) => body)).toEqual(['{"said":"Hello, Ada!"}']);
});

test("a template may send the whole event, money included; one that throws makes a dead letter", async () => {
  const receiver = await receiving();
  const secret = newSecret();
  const event = {
    type: "budget-breached",
    seq: 3,
    at: "2030-01-01T00:00:00.000Z",
    path: "/greet/hello",
  } as const;
  const amount = { picoUsd: "1", inputTokens: 0, outputTokens: 0 };
  const breached = { ...delivery, event: { ...event, of: 2, allowed: amount, picoUsd: 12n, tokens: 0 } };
  const never = new AbortController().signal;
  await webhook({ url: receiver.url, secret, body: ({ event }) => event }).deliver(breached, never);
  expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({
    type: "budget-breached",
    picoUsd: "12",
  });
  const body = () => {
    throw new Error("oops");
  };
  await expect(webhook({ url: receiver.url, secret, body }).deliver(breached, never)).rejects.toMatchObject({
    retryable: false,
    message: expect.stringContaining("threw Error: oops"),
  });
});

test("an endpoint that is gone gets nothing more of that event; redirects are not followed", async () => {
  const elsewhere = await receiving();
  const receiver = await receiving();
  const sink = webhook({ url: receiver.url, secret: newSecret() });
  const never = new AbortController().signal;
  receiver.does = (response) => response.writeHead(410).end();
  await expect(sink.deliver(delivery, never)).rejects.toMatchObject({ retryable: false });
  receiver.does = (response) => response.writeHead(307, { location: elsewhere.url }).end();
  await expect(sink.deliver(delivery, never)).rejects.toMatchObject({ retryable: true });
  expect(elsewhere.received).toEqual([]);
  for (const [status, header, afterMs] of [
    [429, "7", 7_000],
    [503, new Date(Date.now() + 60_000).toUTCString(), 60_000],
    [503, "soon", undefined],
    [500, "99999999", 86_400_000],
  ] as const) {
    receiver.does = (response) => response.writeHead(status, { "retry-after": header }).end();
    const error = await sink.deliver(delivery, never).catch((error: unknown) => error);
    expect(error).toMatchObject({ retryable: true, message: expect.stringContaining(`answered ${status}`) });
    const asked = (error as { retryAfterMs?: number }).retryAfterMs;
    if (afterMs === undefined) expect(asked).toBeUndefined();
    else expect(Math.abs((asked ?? 0) - afterMs)).toBeLessThan(2_500); // dates have whole seconds
  }
});

test("what cannot work is refused when it is written down", () => {
  const url = "https://example.com/token-in-the-address";
  expect(() => webhook({ url: undefined, secret: newSecret() })).toThrow(
    "the address of a webhook is missing",
  );
  expect(() => webhook({ url: "ftp://example.com", secret: newSecret() })).toThrow(
    "the address of a webhook",
  );
  expect(() => webhook({ url, secret: undefined })).toThrow("the secret of webhook example.com is missing");
  expect(() => webhook({ url, secret: ["whsec_c2hvcnQ="] })).toThrow("24 to 64 bytes");
  expect(() => new Flujo(greet, { sinks: { "a/b": webhook({ url, secret: newSecret() }) } })).toThrow(
    '"a/b" is no name of a sink',
  );
  expect(() => new Flujo(greet, { sinks: { a: {} as never } })).toThrow('the sink "a" is none');
  const to = webhook({ url, secret: newSecret() });
  expect(() => new Flujo(greet, { sinks: { a: { to, attempts: 0 } } })).toThrow("attempts");
  expect(() => new Flujo(greet, { sinks: { a: { to, timeout: "0s" } } })).toThrow("timeout");
});

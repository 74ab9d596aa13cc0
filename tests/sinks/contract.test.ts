/** Every sink of ours keeps the contract, against real servers. */
import { describe, it } from "vitest";
import { email, slack, webhook } from "../../src/events/sinks.ts";
import { testSink } from "../../src/testing/test-sink.ts";
import { httpReceiver } from "./http-receiver.ts";
import { mailServer, password } from "./mail-server.ts";

const secret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;

testSink(
  "webhook",
  async () => {
    const receiver = await httpReceiver("/hooks/address-token");
    return {
      sink: webhook({ url: receiver.url, secret, headers: { authorization: "Bearer gateway-token" } }),
      farEnd: (does) => {
        receiver.does = does;
      },
      taken: () => receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body),
      secrets: [secret, secret.slice(6), "address-token", "gateway-token"],
      dispose: () => receiver.close(),
    };
  },
  { describe, it },
);

testSink(
  "slack",
  async () => {
    const receiver = await httpReceiver("/services/T0/B0/slack-token");
    return {
      sink: slack({
        url: receiver.url,
        link: ({ runId }) => `https://flujo.example/${runId}?token=link-token`,
      }),
      farEnd: (does) => {
        receiver.does = does;
      },
      taken: () => receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body),
      secrets: ["slack-token", "link-token"],
      dispose: () => receiver.close(),
    };
  },
  { describe, it },
);

testSink(
  "email",
  async () => {
    const server = await mailServer();
    return {
      sink: email({ server: server.url, from: "flujo@example.com", to: ["ops@example.com"] }),
      farEnd: (does) => {
        server.does = does;
      },
      taken: () =>
        server.mails.map(({ raw, parsed }) => `${raw}\n${parsed.subject}\n${parsed.text}\n${parsed.html}`),
      secrets: [password],
      dispose: () => server.close(),
    };
  },
  { describe, it },
);

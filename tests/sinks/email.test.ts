import { expect, onTestFinished, test } from "vitest";
import { pipeline } from "../../src/core/compose.ts";
import { humanInTheLoop } from "../../src/core/pauses.ts";
import { email, htmlText } from "../../src/events/sinks.ts";
import { Flujo } from "../../src/flujo.ts";
import { AnswerLinks } from "../../src/links/answer-links.ts";
import { nodeWorld } from "../../src/node-world.ts";
import { memory } from "../../src/stores/memory.ts";
import { delivery } from "./delivery.ts";
import { type MailServer, mailServer, password } from "./mail-server.ts";

const never = new AbortController().signal;
const people = { from: "Flujo <flujo@example.com>", to: ["ops@example.com", "ann@example.com"] };

async function serving(): Promise<MailServer> {
  const server = await mailServer();
  onTestFinished(() => server.close());
  return server;
}

test("a question comes as text and as HTML, with a link to answer it", async () => {
  const server = await serving();
  const asking = pipeline(
    "q3",
    humanInTheLoop("approve", { prompt: (what: string) => `Publish <b>${what}</b> & more?` }),
  );
  const to = email({
    server: server.url,
    ...people,
    link: ({ runId }) => `https://flujo.example/${runId}?a=1&b=2`,
  });
  const flujo = new Flujo(asking, { sinks: { people: { to, events: ["signal-awaited"] } } });
  await flujo.run("it", { runId: "r-1" });
  await flujo[Symbol.asyncDispose]();
  const [mail] = server.mails;
  expect(mail?.parsed).toMatchObject({
    subject: "Run r-1 of q3 asks: Publish <b>it</b> & more?",
    from: { text: expect.stringContaining("flujo@example.com") },
    to: { value: [{ address: "ops@example.com" }, { address: "ann@example.com" }] },
    messageId: expect.stringMatching(/^<evt_[0-9a-f]{32}@flujo>$/),
  });
  expect(mail?.parsed.text).toContain("Answer: https://flujo.example/r-1?a=1&b=2");
  expect(mail?.parsed.html).toContain("Publish &lt;b&gt;it&lt;/b&gt; &amp; more?");
  expect(mail?.parsed.html).toContain('<a href="https://flujo.example/r-1?a=1&amp;b=2">');
});

test("where a public URL is known, a question comes with links to say yes, no, or more", async () => {
  const server = await serving();
  const store = memory();
  const flujo = new Flujo(pipeline("q3", humanInTheLoop("approve", { prompt: () => "Publish?" })), {
    ...{ store, publicUrl: "https://flujo.example" },
    sinks: { people: email({ server: server.url, ...people }) },
  });
  await flujo.run(undefined as never, { runId: "r-1" });
  await flujo[Symbol.asyncDispose]();
  const [mail] = server.mails;
  const links = new AnswerLinks({ store, world: nodeWorld() });
  for (const label of ["Approve", "Reject", "Answer…"]) {
    const [, token = ""] =
      new RegExp(`^${label}: https://flujo\\.example/answer/(\\S+)$`, "m").exec(mail?.parsed.text ?? "") ??
      [];
    expect([label, (await links.read(token)).is]).toEqual([label, "valid"]);
    expect(mail?.parsed.html).toContain(`href="https://flujo.example/answer/${token}"`);
  }
});

test("a message sent again has the Message-ID it had, and a template its own words", async () => {
  const server = await serving();
  const sink = email({
    server: server.url,
    ...people,
    message: ({ runId }) => ({
      subject: `about\r\nBcc: spy@example.com ${runId}`,
      text: "t",
      html: htmlText('<"&>'),
    }),
  });
  await sink.deliver(delivery, never);
  await sink.deliver({ ...delivery, attempt: 2 }, never);
  expect(server.mails.map(({ parsed }) => parsed.messageId)).toEqual(["<evt_1@flujo>", "<evt_1@flujo>"]);
  expect(server.mails[0]?.parsed).toMatchObject({
    subject: "about Bcc: spy@example.com r",
    html: "&lt;&quot;&amp;&gt;",
  });
  expect(server.mails[0]?.parsed.bcc).toBeUndefined();
});

test("recipients that are refused are told of, without sending the others the same again", async () => {
  const server = await serving();
  const sink = email({ server: server.url, ...people });
  server.unknown.add("ann@example.com");
  await expect(sink.deliver(delivery, never)).rejects.toMatchObject({
    retryable: false,
    message: expect.stringContaining("refused 1 of the recipients"),
  });
  expect(server.mails).toHaveLength(1);
});

test("a password that is refused can be put right, so it is tried again", async () => {
  const server = await serving();
  const sink = email({ server: server.url.replace(password, "another"), ...people });
  const error = await sink.deliver(delivery, never).catch((error: unknown) => error);
  expect(error).toMatchObject({ retryable: true, message: expect.stringContaining("answered 535") });
  expect(String(error)).not.toContain("another");
});

test("a server that is none is refused when it is written down", () => {
  expect(() => email({ server: undefined, ...people })).toThrow("the server of an email sink is missing");
  expect(() => email({ server: "https://example.com", ...people })).toThrow("the server of an email sink");
});

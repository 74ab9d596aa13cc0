import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { pipeline } from "../../src/core/compose.ts";
import { humanInTheLoop } from "../../src/core/pauses.ts";
import { slack, slackText } from "../../src/events/sinks.ts";
import { Flujo } from "../../src/flujo.ts";
import { AnswerLinks } from "../../src/links/answer-links.ts";
import { nodeWorld } from "../../src/node-world.ts";
import { memory } from "../../src/stores/memory.ts";
import { delivery } from "./delivery.ts";
import { httpReceiver } from "./http-receiver.ts";

interface Block {
  readonly type: string;
  readonly block_id?: string;
  readonly text?: { readonly text: string };
  readonly fields?: readonly { readonly text: string }[];
}

test("a question comes with its text, its run, what it cost, and a link to answer it", async () => {
  const receiver = await httpReceiver();
  onTestFinished(() => receiver.close());
  const asking = pipeline(
    "q3 <report>",
    humanInTheLoop("approve", { prompt: (what: string) => `Publish ${what} & tell <!everyone>?` }),
  );
  const link = ({ runId, event }: { runId: string; event: { path: string } }) =>
    `https://flujo.example/runs/${runId}?path=${event.path}&x=a|b>`;
  const flujo = new Flujo(asking, { sinks: { ops: slack({ url: receiver.url, link }) } });
  await flujo.run("it", { runId: "r-1" });
  await flujo[Symbol.asyncDispose]();
  const { text, blocks } = JSON.parse(receiver.received[0]?.body ?? "{}") as {
    text: string;
    blocks: Block[];
  };
  expect(text).toBe("Run r-1 of q3 &lt;report&gt; asks: Publish it &amp; tell &lt;!everyone&gt;?");
  expect(blocks.map(({ type }) => type)).toEqual(["header", "section", "section", "section", "context"]);
  const [header, question, fields, open, context] = blocks as [Block, Block, Block, Block, Block]; // as just seen
  expect(header.text?.text).toBe("q3 <report> needs an answer"); // plain text: nothing in it is markup
  expect(question.text?.text).toBe("Publish it &amp; tell &lt;!everyone&gt;?");
  expect(fields.fields?.map((field) => field.text)).toEqual([
    "*Pipeline*\nq3 &lt;report&gt;",
    "*Run*\nr-1",
    "*Where*\n/q3 &lt;report&gt;/approve",
    "*Cost so far*\n$0",
  ]);
  expect(open.text?.text).toBe(
    "<https://flujo.example/runs/r-1?path=/q3%20%3Creport%3E/approve&amp;x=a%7Cb%3E|Answer>",
  );
  expect(context.block_id).toMatch(/^evt_[0-9a-f]{32}$/);
});

test("where a public URL is known, a question comes with links to say yes, no, or more", async () => {
  const receiver = await httpReceiver();
  onTestFinished(() => receiver.close());
  const asking = pipeline(
    "q3",
    humanInTheLoop("approve", { prompt: () => "Publish?" }).to(
      humanInTheLoop("colour", { prompt: () => "Which?", answer: z.enum(["red", "blue"]) }),
    ),
  );
  const store = memory();
  const flujo = new Flujo(asking, {
    ...{ store, publicUrl: "https://flujo.example", takeOver: false },
    sinks: { ops: slack({ url: receiver.url, link: () => "https://flujo.example/runs" }) },
  });
  await flujo.run(undefined as never, { runId: "r-1" });
  await flujo.signal("r-1", "/q3/approve", { approved: true });
  await flujo.resume("r-1").result();
  await flujo[Symbol.asyncDispose]();
  const links = new AnswerLinks({ store, world: nodeWorld() });
  const found: unknown[] = [];
  for (const { body } of receiver.received) {
    const { blocks } = JSON.parse(body) as { blocks: Block[] };
    for (const { text } of blocks) {
      const [, token, label] =
        /^<https:\/\/flujo\.example\/answer\/(\S+)\|(.*)>$/.exec(text?.text ?? "") ?? [];
      if (token === undefined) continue;
      const opened = await links.read(token);
      found.push([label, opened.is, "invitation" in opened && opened.invitation.answer?.value]);
    }
    expect(blocks.at(-2)?.text?.text).toBe("<https://flujo.example/runs|Open the run>");
  }
  expect(found).toEqual([
    ["Approve", "valid", { approved: true }],
    ["Reject", "valid", { approved: false }],
    ["Answer…", "valid", undefined],
    ["Answer…", "valid", undefined],
  ]);
});

test("texts of any length fit what Slack takes", async () => {
  const receiver = await httpReceiver();
  onTestFinished(() => receiver.close());
  const long = pipeline("p".repeat(200), humanInTheLoop("ask", { prompt: () => "<&🌊".repeat(20_000) }));
  const flujo = new Flujo(long, { sinks: { ops: slack({ url: receiver.url }) } });
  await flujo.run(undefined as never, { runId: "r".repeat(128) });
  await flujo[Symbol.asyncDispose]();
  const { text, blocks } = JSON.parse(receiver.received[0]?.body ?? "{}") as {
    text: string;
    blocks: Block[];
  };
  expect(text.length).toBeLessThanOrEqual(3_000);
  for (const { type, text, fields = [], block_id = "" } of blocks) {
    expect(text?.text.length ?? 0).toBeLessThanOrEqual(type === "header" ? 150 : 3_000);
    for (const field of fields) expect(field.text.length).toBeLessThanOrEqual(2_000);
    expect(block_id.length).toBeLessThanOrEqual(255);
    expect(text?.text ?? "").not.toMatch(/&(?!amp;|lt;|gt;)/);
  }
});

test("what Slack says of a message that it will never take is told, and not tried again", async () => {
  const receiver = await httpReceiver();
  onTestFinished(() => receiver.close());
  const sink = slack({ url: receiver.url, message: () => ({ text: slackText("<hi>") }) });
  receiver.does = (response) => response.writeHead(404).end("no_service");
  await expect(sink.deliver(delivery, new AbortController().signal)).rejects.toMatchObject({
    retryable: false,
    message: expect.stringContaining("answered 404 (no_service)"),
    hint: expect.stringContaining("make another one"),
  });
  receiver.does = (response) => response.writeHead(429, { "retry-after": "30" }).end("ratelimited");
  await expect(sink.deliver(delivery, new AbortController().signal)).rejects.toMatchObject({
    retryable: true,
    retryAfterMs: 30_000,
  });
  receiver.does = "takes";
  await sink.deliver(delivery, new AbortController().signal);
  expect(receiver.received[0]?.body).toBe('{"text":"&lt;hi&gt;"}');
  expect(() => slack({ url: undefined })).toThrow("the address of a Slack webhook is missing");
});

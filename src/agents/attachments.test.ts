import { describe, expect, test } from "vitest";
import * as z from "zod";
import { pipeline } from "../core/compose.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { agent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import { asSpecified, type Prompt, userParts } from "./attachments.ts";
import { models } from "./models.ts";

const bytes = new Uint8Array([137, 80, 78, 71]);
const address = "https://pictures.example/cat.png";

describe("a prompt of parts", () => {
  test("takes images as bytes, data: URLs and addresses, and files with their type and name", () => {
    expect(
      userParts([
        { type: "text", text: "What is it?" },
        { type: "image", image: bytes },
        { type: "image", image: "data:image/png;base64,iVBORw==" },
        { type: "image", image: address, mediaType: "image/png" },
        { type: "file", data: new URL(address), mediaType: "application/pdf", filename: "a.pdf" },
        { type: "file", data: "data:,a%20b", mediaType: "text/plain" },
      ]),
    ).toEqual([
      { type: "text", text: "What is it?" },
      { type: "file", mediaType: "image/*", data: { type: "data", data: bytes } },
      { type: "file", mediaType: "image/png", data: { type: "data", data: bytes } },
      { type: "file", mediaType: "image/png", data: { type: "url", url: new URL(address) } },
      {
        type: "file",
        mediaType: "application/pdf",
        filename: "a.pdf",
        data: { type: "url", url: new URL(address) },
      },
      {
        type: "file",
        mediaType: "text/plain",
        data: { type: "data", data: new TextEncoder().encode("a b") },
      },
    ]);
  });

  test("refuses a text that is no address", () => {
    expect(() => userParts([{ type: "image", image: "cat.png" }])).toThrow(
      'at "cat.png", which is no address',
    );
  });

  test("goes to models of older specifications with bare bytes and addresses", () => {
    const content = userParts([
      { type: "image", image: bytes },
      { type: "image", image: address },
    ]);
    const messages = [{ role: "user" as const, content }];
    expect(asSpecified(messages, "v3")).toMatchObject([
      { content: [{ data: bytes }, { data: new URL(address) }] },
    ]);
    expect(asSpecified(messages, "v4")).toEqual(messages);
  });
});

describe("images under a budget", () => {
  const Picture = z.object({ image: z.instanceof(Uint8Array), question: z.string() });
  function seeing(more: Partial<AgentOptions<z.output<typeof Picture>>> = {}) {
    const on = scene();
    const model = scriptedModel({ replies: () => "a cat", price: { input: "$1", output: "$2" } });
    const prompt = ({ image, question }: z.output<typeof Picture>): Prompt => [
      { type: "text", text: question },
      { type: "image", image },
    ];
    const made = pipeline(
      "p",
      agent("see", { model, input: Picture, system: "Look.", prompt, maxOutputTokens: 100, ...more }),
    );
    const cast = on.cast(made, { models: models({ prices: model.prices }) });
    const input = { image: new Uint8Array(60_000), question: "What is it?" };
    return {
      on,
      model,
      run: (budget?: "$0.01" | "$1") => cast.run(input, { runId: "r", ...(budget ? { budget } : {}) }),
    };
  }

  test("are refused when nobody has said how much one may count: nothing is sent", async () => {
    const { model, run } = seeing();
    expect(await run("$1")).toMatchObject({
      status: "failed",
      error: { code: "invalid-option", message: expect.stringContaining("nobody can say how many tokens") },
    });
    expect(model.calls).toEqual([]);
  });

  test("are reserved by what the author said, whatever their size in bytes", async () => {
    const { on, model, run } = seeing({ attachmentTokens: 2_000 });
    expect(await run("$0.01")).toMatchObject({ status: "completed", output: "a cat" });
    expect(model.calls[0]?.options.prompt[1]).toMatchObject({
      content: [
        { type: "text", text: "What is it?" },
        { type: "file", data: { type: "data" } },
      ],
    });
    const reserved = (await on.journal("r")).find((entry) => entry.type === "budget-reserved");
    expect(reserved?.amount.inputTokens).toBeGreaterThan(2_000);
    expect(reserved?.amount.inputTokens).toBeLessThan(2_300);
  });

  test("need no saying where neither cost nor tokens are limited", async () => {
    const { on, run } = seeing();
    expect(await run()).toMatchObject({ status: "completed", output: "a cat" });
    expect((await on.journal("r")).filter(({ type }) => type === "budget-breached")).toEqual([]);
  });

  test("are in the journal once, beside it, however long the conversation", async () => {
    const { on, run } = seeing({ attachmentTokens: 2_000, output: z.string() } as object);
    await run("$1");
    expect(JSON.stringify(await on.journal("r")).length).toBeLessThan(8_000);
  });
});

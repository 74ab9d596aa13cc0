import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import { scriptedModel } from "./scripted-model.ts";

const ask = (text: string, more: object = {}) => ({
  prompt: [{ role: "user" as const, content: [{ type: "text" as const, text }] }],
  ...more,
});

test("replies in order, then repeats the last one", async () => {
  const model = scriptedModel({ replies: ["a", "b"] });
  const texts = [];
  for (let i = 0; i < 3; i++) texts.push((await model.doGenerate(ask("?"))).content[0]);
  expect(texts).toMatchObject([{ text: "a" }, { text: "b" }, { text: "b" }]);
});

test("keeps to its cap and meters what it counted, not what it reports", async () => {
  const price = { input: "$0", output: "$1" } as const;
  const model = scriptedModel({ replies: [{ text: "x".repeat(100), usage: "missing" }], price });
  const result = await model.doGenerate(ask("?", { maxOutputTokens: 10 }));
  expect(result.finishReason.unified).toBe("length");
  expect(result.usage.outputTokens.total).toBeUndefined();
  expect(model.billedPicoUsd).toBe(10_000_000n);
});

test("bills failed calls, but not those that are said to be unbilled", async () => {
  const model = scriptedModel({
    replies: ({ index }) => ({ error: new Error("no"), unbilled: index === 0 }),
  });
  await expect(model.doGenerate(ask("?"))).rejects.toThrow("no");
  expect(model.billedPicoUsd).toBe(0n);
  await expect(model.doGenerate(ask("?"))).rejects.toThrow("no");
  expect(model.billedPicoUsd).toBeGreaterThan(0n);
});

test("takes its time from the clock it is given; an abort ends the wait, not the bill", async () => {
  const due: { ms: number; callback: () => void }[] = [];
  const world = {
    timer(ms: number, callback: () => void) {
      due.push({ ms, callback });
      return () => void due.pop();
    },
  };
  const model = scriptedModel({ replies: [{ text: "late", delayMs: 5_000 }], world });
  const answer = model.doGenerate(ask("?"));
  expect(due.map(({ ms }) => ms)).toEqual([5_000]);
  due.pop()?.callback();
  expect((await answer).content).toMatchObject([{ text: "late" }]);

  const before = model.billedPicoUsd;
  const stop = new AbortController();
  const stopped = model.doGenerate(ask("?", { abortSignal: stop.signal }));
  stop.abort(new Error("enough"));
  await expect(stopped).rejects.toThrow("enough");
  expect(due).toEqual([]);
  expect(model.billedPicoUsd).toBeGreaterThan(before);
});

test("streams the same answer in pieces, thoughts first, and can be cut between two of them", async () => {
  const reply = { reasoning: "thinking", text: "a text", toolCalls: [{ name: "t", input: { n: 1 } }] };
  const model = scriptedModel({ replies: [reply, { ...reply, error: new Error("cut"), cutAfter: 3 }] });
  const seen: LanguageModelV4StreamPart[] = [];
  const listen = async (): Promise<void> => {
    for await (const part of (await model.doStream(ask("?"))).stream) seen.push(part);
  };
  const said = () =>
    seen.flatMap((part) => (part.type.endsWith("-delta") && "delta" in part ? part.delta : []));
  await listen();
  expect(said()).toEqual(["thin", "king", "a te", "xt", '{"n":1}']);
  expect(seen.at(-1)).toMatchObject({ type: "finish", finishReason: { unified: "tool-calls" } });
  seen.length = 0;
  await expect(listen()).rejects.toThrow("cut");
  expect(said()).toEqual(["thin", "king", "a te"]);
});

import { expect, test, vi } from "vitest";
import { contract } from "./contract.ts";
import { stage } from "./stage.ts";
import { openai, openaiChat } from "./subjects.ts";

contract(openai);
contract(openaiChat);

test("openai.chat: a model that does not reason has its cap in the older field", async () => {
  const older = { ...openaiChat, model: "openai.chat:gpt-4o-mini" };
  await using on = await stage(older, { reply: () => "x".repeat(1_000) });
  const { result } = await on.play(on.agent({ maxOutputTokens: 10 }));
  expect(result).toMatchObject({ output: "x".repeat(40), spent: { picoUsd: on.server.billedPicoUsd } });
  expect(on.server.requests[0]?.body).toMatchObject({ max_tokens: 10 });
  vi.unstubAllEnvs();
});

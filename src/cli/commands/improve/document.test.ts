import { expect, test } from "vitest";
import { agent } from "../../../agents/agent.ts";
import { pipeline, step } from "../../../core/compose.ts";
import { documentOf } from "../../../evals/improve/document.ts";
import { documentText } from "./document.ts";

test("a document is a table for people: what there is, what may change, and what it takes", () => {
  const flow = pipeline(
    "desk",
    agent("answer", {
      model: "openai:gpt-4o-mini",
      system: "Answer {{input.reader}}.\nBe brief.",
      improve: { model: ["openai:gpt-4o"], temperature: { min: 0, max: 1 }, examples: false },
    }).retry({ attempts: 2 }),
  );
  const [head, , ...rows] = documentText(documentOf(flow)).split("\n");
  expect(head).toMatch(/^desk [0-9a-f]{16}$/);
  expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
    ["PLACE", "VALUE", "CHANGE", "IS", "TAKES"],
    ["/desk/answer", "system", "may", "Answer {{input.reader}}. Be brief.", "with {{input.reader}}"],
    ["", "model", "may", "openai:gpt-4o-mini", "openai:gpt-4o-mini | openai:gpt-4o"],
    ["", "temperature", "may", "(default)", "from 0 to 1"],
    ["", "attempts", "2", "from 1 to 1000"],
  ]);
});

test("a pipeline without data says so", () => {
  const flow = pipeline(
    "plain",
    step("up", (text: string) => text.toUpperCase()),
  );
  expect(documentText(documentOf(flow))).toMatch(
    /^Nothing of "plain" \([0-9a-f]{16}\) is data that can be changed\.$/,
  );
});

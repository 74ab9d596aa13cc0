import { expect, test } from "vitest";
import { agent } from "../agents/agent.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import { graph, graphJson, graphText, mermaid } from "./graph.ts";

const one = step("one", (n: number) => n);
const { node } = pipeline(
  "p",
  mapOver(
    "all",
    one
      .retry({ attempts: 3 })
      .fallback(step("other", (n: number) => n))
      .budget("$0.05"),
    {
      concurrency: 4,
      over: (_: unknown) => [1],
    },
  )
    .to(
      parallel("both", {
        left: step("count", (all: number[]) => all.length),
        right: step("same", (all: number[]) => all),
      }),
    )
    .to(
      branchOn("route", () => "a", {
        a: step("stay", ({ left }: { left: number; right: number[] }) => left),
      }),
    )
    .to(loopUntil("again", one, { until: () => true, maxLoops: 7 })),
);

test("as text: a tree with its qualifiers, branches and fallbacks", () => {
  expect(graphText(node)).toBe(
    [
      "p  pipeline",
      "  all  mapOver, 4 at once",
      "    one  step .retry(3) .budget($0.05)",
      "      [fallback]",
      "        other  step",
      "  both  parallel",
      "    [left]",
      "      count  step",
      "    [right]",
      "      same  step",
      "  route  branchOn",
      "    [a]",
      "      stay  step",
      "  again  loopUntil, at most 7 turns",
      "    one  step",
    ].join("\n"),
  );
});

test("a compensation is drawn beside what it undoes", () => {
  const refund = pipeline(
    "refund",
    step("call", (_: unknown) => 1),
  );
  const [other, two] = [step("other", (n: number) => n), step("two", (n: number) => n)];
  const charged = pipeline("p", one.compensate(refund).retry({ attempts: 2 }).fallback(other).to(two)).node;
  expect(graphText(charged)).toBe(
    [
      "p  pipeline",
      "  one  step .retry(2)",
      "    [compensation]",
      "      refund  pipeline",
      "        call  step",
      "    [fallback]",
      "      other  step",
      "  two  step",
    ].join("\n"),
  );
  expect(JSON.stringify(graphJson(charged))).toContain('"path":"/p/one@undo/refund/call"');
  expect(mermaid(charged)).toContain("-. compensation .->");
});

test("an agent is drawn with its model, and the offline one as what it is", () => {
  const ask = (model: string) => agent("ask", { model, system: "Answer." }).node;
  expect(graphText(ask("openai:gpt-4o-mini"))).toBe("ask  agent openai:gpt-4o-mini");
  expect(graphText(ask("offline:extract"))).toBe("ask  agent offline:extract (not an LLM)");
  expect(mermaid(ask("offline:extract"))).toContain("agent offline:extract (not an LLM)");
});

test("as JSON: every place with the path the journal knows it by", () => {
  const [drawn] = graphJson(node) as { inside: { steps: { path: string }[] }[] }[];
  expect(drawn?.inside[0]?.steps.map(({ path }) => path)).toEqual([
    "/p/all",
    "/p/both",
    "/p/route",
    "/p/again",
  ]);
  expect(JSON.parse(graph(node, "json"))).toEqual(graphJson(node));
});

test("as Mermaid: containers hold what is inside, links follow the order", () => {
  const drawn = mermaid(node);
  expect(drawn).toMatch(/^flowchart TD\n {2}subgraph n0\["p<br\/>pipeline"\]/);
  expect(drawn.match(/subgraph/g)).toHaveLength(5);
  expect(drawn.match(/^\s*end$/gm)).toHaveLength(5);
  expect(drawn).toContain("-. fallback .->");
});

test("a hostile name cannot leave its label", () => {
  const drawn = mermaid(step('x"]; click n0 "javascript:alert(1)" <b>', () => 1).node);
  const labels = drawn.match(/"[^"]*"/g) ?? [];
  expect(labels).toHaveLength(1);
  expect(labels[0]).not.toContain("<b>");
});

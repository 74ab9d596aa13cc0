import { describe, expect, test } from "vitest";
import { agent } from "../../agents/agent.ts";
import { pipeline } from "../../core/compose.ts";
import type { Candidate } from "./candidate.ts";
import { documentOf, patchBetween, type Values, valuesOf } from "./document.ts";
import type { Improvement } from "./improvement.ts";
import { patchFileOf } from "./patch-file.ts";
import { promotion, type TrialScore } from "./promotion.ts";
import { improvementReport, patchReport } from "./report.ts";
import { reportMarkdown } from "./report-markdown.ts";

const document = documentOf(
  pipeline(
    "desk",
    agent("answer", { model: "openai:gpt-4o-mini", system: "Answer.\nBe kind.", prompt: "Q: {{input}}" }),
  ),
);
const values = valuesOf(document) as Values;
const better = {
  "/desk/answer": {
    ...values["/desk/answer"],
    system: "Answer.\nBe brief.",
    prompt: "Question: {{input}}",
    maxTurns: 4,
  },
};
const base: Candidate = { id: "b0", patch: [], parents: [], by: "base", note: "the pipeline as it is" };
const middle: Candidate = {
  id: "m1",
  patch: [],
  parents: ["b0"],
  by: "reflection",
  note: "it was | too\nlong",
};
const aside: Candidate = { id: "x9", patch: [], parents: ["b0"], by: "rule:shorten", note: "shorter" };
const best: Candidate = {
  id: "c2",
  patch: patchBetween(values, better),
  parents: ["m1"],
  by: "delta",
  note: "says `how`",
};

function improvement(score: (i: number) => number, look = 1): Improvement {
  const trials = (of: (i: number) => number): TrialScore[] =>
    Array.from({ length: 30 }, (_, i) => ({
      caseId: `case ${i}`,
      tags: i % 3 === 0 ? ["hard"] : [],
      score: of(i),
      picoUsd: "2000000000",
    }));
  return {
    pipeline: "desk",
    fingerprint: document.fingerprint,
    document,
    dataset: { name: "questions.jsonl", hash: "d00d" },
    cases: { train: 60, validation: 20, test: 30 },
    scorers: ["exact"],
    reflector: "openai:gpt-4o",
    seed: 7,
    limits: { rollouts: 300, proposals: 2, minibatch: 3, patience: 12 },
    base,
    best,
    candidates: [
      { candidate: base, score: 0.4, cases: 20 },
      { candidate: middle, score: 0.6, cases: 20 },
      { candidate: aside, score: 0.1, cases: 5 },
      { candidate: best, score: 0.9, cases: 20 },
    ],
    search: {
      rollouts: 212,
      rounds: 9,
      proposals: {
        made: 18,
        refused: 2,
        faults: ['"system" of /desk/answer is empty'],
        known: 1,
        noBetter: 12,
      },
      stopped: "no-progress",
    },
    promotion: promotion(
      trials((i) => (i % 2 === 0 ? 0.5 : 0.2)),
      trials(score),
      { look },
    ),
    picoUsd: "1234000000000",
  };
}
const gained = improvement((i) => (i % 2 === 0 ? 0.9 : 0.8));

describe("the report of a search", () => {
  test("says what came of it, why, what changed, and where it comes from", async () => {
    const text = reportMarkdown(await improvementReport(gained));
    expect(text).toMatch(
      /^## desk: promoted\n\nThe gain is \+0\.500, at least \+0\.\d{3}\.\n\nPatch [0-9a-f]{12}, made for/,
    );
    expect(text).toContain(
      "Evidence: 30 test cases of questions.jsonl, looked at for the first time, scored by exact.",
    );
    expect(text).toContain(
      "The search: 212 rollouts in 9 rounds, proposals by openai:gpt-4o, seed 7; it ended when nothing better came. It cost $1.234.",
    );
    expect(text).toContain("### system of /desk/answer\n\n```diff\n Answer.\n-Be kind.\n+Be brief.\n```");
    expect(text).toContain(
      "### prompt of /desk/answer\n\n```diff\n-Q: {{input}}\n+Question: {{input}}\n  [-Q-]{+Question+}: {{input}}\n```",
    );
    expect(text).toContain("### maxTurns of /desk/answer\n\n```diff\n+4\n```");
    expect(text).toMatch(/\| all \| \+0\.500 \| \+0\.\d+ to \+0\.\d+ \| &lt; 0\.001 \| 30 \| 30 \|/);
    expect(text).toContain("| tag hard | +0.500 |");
    expect(text).toContain("| $0.002 | $0.002 |");
    expect(text).toContain("| m1 | b0 | reflection | 0.600 | it was \\| too long |");
    expect(text).toContain("| c2 (best) | delta | 0.900 | 20 | says \\`how\\` |");
    expect(text).toContain('  "system" of /desk/answer is empty');
  });

  test("traces the lineage of the best alone, from the pipeline as it was", () => {
    const lineage = patchFileOf(gained)?.evidence?.lineage.map(({ id }) => id);
    expect(lineage).toEqual(["b0", "m1", "c2"]);
  });

  test("tells of evidence that does not reach, and how many cases would", async () => {
    const report = await improvementReport(improvement((i) => [0.9, 0.1, 0.6, 0.2, 0.4][i % 5] ?? 0, 3));
    expect(report.headline).toBe("desk: insufficient evidence");
    expect(report.words[0]).toMatch(
      /^The gain seen is \+0\.\d+, and may be from -0\.\d+ to \+0\.\d+\. About \d+ test cases would tell\.$/,
    );
    expect(report.words[1]).toContain("looked at for the 3rd time, which makes its intervals wider");
  });

  test("says so when nothing was better", async () => {
    const { promotion: _, ...nothing } = { ...gained, best: base };
    const report = await improvementReport(nothing);
    expect(report.headline).toBe("desk: nothing better was found");
    expect(report.words[0]).toBe(
      "Nothing was better on the validation split: the test split was not looked at.",
    );
    expect(patchFileOf(nothing)).toBeUndefined();
  });

  test("is the same for the same result", async () => {
    const again = JSON.parse(JSON.stringify(gained)) as Improvement;
    expect(reportMarkdown(await improvementReport(again))).toBe(
      reportMarkdown(await improvementReport(gained)),
    );
  });
});

describe("the report of a patch", () => {
  test("lets no text of it out of its fence", async () => {
    const values = { "/p/a": { system: "one\n```\ntwo" } };
    const patch = patchBetween(values, { "/p/a": { system: "one\n````\n# two" } });
    const report = await patchReport({
      version: 1,
      id: "0".repeat(12),
      pipeline: "p",
      fingerprint: "f",
      patch,
      inverse: [],
    });
    expect(report.headline).toBe("p: a patch without evidence");
    const [, fence = "", inside] = /\n(`{3,})diff\n([\s\S]*?)\n\1\n/.exec(reportMarkdown(report)) ?? [];
    expect(fence).toBe("`````");
    expect(inside).toContain("+# two");
  });
});

/** An experiment in tables of texts: what the terminal, Markdown and HTML show alike. */
import type { ExperimentDocument, Listed, ListedCase } from "./document.ts";

/** A heading, and a table under it, whose first row names the columns. */
export interface Section {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** In a line: what was tried. */
export const headline = ({ name, pipeline, dataset, summary, trials }: ExperimentDocument): string =>
  `${name}: ${pipeline} on ${dataset.name}, ${summary?.trials ?? 0} trials, ${trials} of each case`;

const mostListed = 20;

export function sectionsOf(document: ExperimentDocument, { cases }: Pick<Listed, "cases">): Section[] {
  const { summary, comparison } = document;
  if (summary === null) return [];
  const sections = [scoresOf(document, summary)];
  if (comparison !== null) sections.push(...compared(comparison));
  if (summary.failures.length > 0) {
    sections.push({
      title: `Failures: ${summary.failed} of ${summary.trials} trials`,
      rows: [
        ["what", "trials", "cases", "as"],
        ...summary.failures
          .slice(0, mostListed)
          .map(({ what, trials, caseIds, example }) => [
            what,
            `${trials}`,
            caseIds.join(", "),
            oneLine(example),
          ]),
      ],
    });
  }
  const wanting = [...cases()].filter(({ score }) => score < 1).sort((a, b) => a.score - b.score);
  if (wanting.length > 0) sections.push(lowest(wanting, summary.score.cases));
  return sections;
}

/** The cases that score lowest; those alike in the order they were tried. */
function lowest(wanting: readonly ListedCase[], cases: number): Section {
  const listed = wanting.slice(0, mostListed);
  const which = listed.length < wanting.length ? `the lowest ${listed.length}, ` : "";
  return {
    title: `Cases: ${which}${wanting.length} of ${cases} score less than 1`,
    rows: [
      ["case", "score", "tags"],
      ...listed.map(({ caseId, score, tags }) => [caseId, number(score), tags.join(", ")]),
    ],
  };
}

function scoresOf(
  { costUsd, judgesUsd }: ExperimentDocument,
  { score, scorers, slices, latency }: NonNullable<ExperimentDocument["summary"]>,
): Section {
  const named = Object.entries(scorers);
  const all = [
    ["all", score] as const,
    ...(named.length > 1 ? named.map(([name, one]) => [`by ${name}`, one] as const) : []),
    ...Object.entries(slices).map(([tag, one]) => [`tag ${tag}`, one] as const),
  ];
  const took =
    latency === undefined ? "" : `; ${latency.p50} ms half of them, ${latency.p95} ms 95 % of them`;
  const judged = judgesUsd === "0" ? "" : `, of which judges $${judgesUsd}`;
  return {
    title: `Scores ($${costUsd}${judged}${took})`,
    rows: [
      ["", "score", "95 % interval", "cases", "clusters"],
      ...all.map(([name, { mean, low, high, cases, clusters }]) => [
        name,
        number(mean),
        `${number(low)} to ${number(high)}`,
        `${cases}`,
        `${clusters}`,
      ]),
    ],
  };
}

function compared(comparison: NonNullable<ExperimentDocument["comparison"]>): Section[] {
  const { difference, slices, changed, unpaired, casesNeeded, with: base } = comparison;
  const row = (name: string, { mean, low, high, cases }: typeof difference, p: number): string[] => [
    name,
    signed(mean),
    `${signed(low)} to ${signed(high)}`,
    p < 0.001 ? "< 0.001" : p.toFixed(3),
    `${cases}`,
  ];
  const aside = unpaired === 0 ? "" : `; ${unpaired} cases are only in one`;
  const needed =
    casesNeeded === undefined || casesNeeded <= difference.cases
      ? ""
      : `; ${casesNeeded} cases would tell a difference of the margin`;
  const sections = [
    {
      title: `Compared with ${base}${aside}${needed}`,
      rows: [
        ["", "difference", "95 % interval", "p", "cases"],
        row("all", difference, difference.p),
        ...Object.entries(slices).map(([tag, slice]) => row(`tag ${tag}`, slice, slice.holm)),
      ],
    },
  ];
  if (changed.length > 0) {
    sections.push({
      title: `Changed: ${changed.length} cases`,
      rows: [
        ["case", "before", "after"],
        ...changed
          .slice(0, mostListed)
          .map(({ caseId, before, after }) => [caseId, number(before), number(after)]),
      ],
    });
  }
  return sections;
}

const verdicts = {
  pass: "The gate is open: it is not worse.",
  regress: "The gate is shut: it is worse.",
  inconclusive: "Inconclusive: the cases do not tell whether it is worse.",
} as const;

/** What stands beside the tables, sentence by sentence: what to beware of, which look it was, what the gate says. */
export const wordsOf = (document: ExperimentDocument): readonly string[] =>
  [document.caution ?? "", lookText(document), verdictText(document)].filter((text) => text !== "");

/** What the gate says, in a sentence; empty where none was asked. */
const verdictText = ({ verdict }: ExperimentDocument): string => (verdict === null ? "" : verdicts[verdict]);

/** Which look at the test split it was, in a sentence; empty where it was none. */
function lookText({ look, dataset }: ExperimentDocument): string {
  if (look === null) return "";
  const which = `This is look ${look.number} at the test split of ${dataset.name} (cases tried: ${look.cases})`;
  if (look.earlier.length === 0) return `${which}.`;
  const named = look.earlier.slice(-mostNamed).join(", ");
  return `${which}, after ${look.earlier.length > mostNamed ? `${look.earlier.length}, lately ` : ""}${named}. What was chosen by looking at cases does better on them than on others.`;
}
const mostNamed = 3;

const number = (score: number): string => score.toFixed(3);
const signed = (score: number): string => `${score < 0 ? "" : "+"}${score.toFixed(3)}`;

const longestExample = 100;
function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length <= longestExample ? line : `${line.slice(0, longestExample)}…`;
}

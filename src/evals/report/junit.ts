import type { TrialRecord } from "../experiment/record.ts";
import { isFailure } from "../experiment/tally.ts";
import type { ExperimentDocument, Listed } from "./document.ts";

/** An experiment as JUnit's XML, which CI systems show: a trial is a test, one below the mark a failure. */
export async function* junitOf(
  { name, summary, passMark, at }: ExperimentDocument,
  { records }: Listed,
): AsyncGenerator<string> {
  const { trials = 0, failed = 0 } = summary ?? {};
  yield `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="${trials}" failures="${failed}">
<testsuite name="${escaped(name)}" tests="${trials}" failures="${failed}" errors="0" skipped="0" timestamp="${at}">
`;
  for await (const record of records()) yield `${testOf(name, record, passMark)}\n`;
  yield "</testsuite>\n</testsuites>\n";
}

function testOf(suite: string, record: TrialRecord, passMark: number): string {
  const { caseId, trial, score, scores, error, status, durationMs = 0 } = record;
  const open = `<testcase classname="${escaped(suite)}" name="${escaped(`${caseId} #${trial}`)}" time="${durationMs / 1_000}"`;
  if (!isFailure(record, passMark)) return `${open}/>`;
  const why = error?.message ?? scores.map(({ scorer, feedback }) => `${scorer}: ${feedback}`).join("\n");
  const message = status === "completed" ? `score ${score.toFixed(3)}` : status;
  return `${open}><failure message="${message}">${escaped(why)}</failure></testcase>`;
}

const escapes: { readonly [char: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** XML knows no control characters but tab and line ends, and no lone surrogates. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/(?![\t\n\r])\p{Cc}|[\uFFFE\uFFFF]/gu, "\uFFFD")
    .replace(/[&<>"]/g, (char) => escapes[char] as string); // it has each

import type { TrialRecord } from "../experiment/record.ts";
import type { ExperimentDocument } from "./document.ts";

/** An experiment as JUnit's XML, which CI systems show: a trial is a test, one below the mark a failure. */
export function junitOf({ name, records, passMark, at }: ExperimentDocument): string {
  const failed = records.filter((record) => isFailure(record, passMark)).length;
  const tests = records.map((record) => testOf(name, record, passMark)).join("\n");
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="${records.length}" failures="${failed}">
<testsuite name="${escaped(name)}" tests="${records.length}" failures="${failed}" errors="0" skipped="0" timestamp="${at}">
${tests}
</testsuite>
</testsuites>
`;
}

const isFailure = ({ status, score }: TrialRecord, passMark: number): boolean =>
  status !== "completed" || score < passMark;

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

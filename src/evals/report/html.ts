import type { TrialRecord } from "../experiment/record.ts";
import type { ExperimentDocument, Listed } from "./document.ts";
import { headline, sectionsOf, wordsOf } from "./lines.ts";

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color-scheme:light dark}
table{border-collapse:collapse;margin:.5em 0 2em}td,th{padding:.3em .8em;text-align:left;border-bottom:1px solid #8884;vertical-align:top}`;

/** An experiment as one file that fetches nothing and runs nothing. */
export async function* htmlOf(document: ExperimentDocument, listed: Listed): AsyncGenerator<string> {
  const title = escaped(headline(document));
  yield `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
<h1>${title}</h1>
${wordsOf(document)
  .map((text) => `<p>${escaped(text)}</p>`)
  .join("\n")}
`;
  for (const { title, rows } of sectionsOf(document, listed)) yield* table(title, rows);
  yield* table("Trials", trialsOf(listed.records()));
  yield "</html>\n";
}

type Row = readonly string[];

/** The first row names the columns. */
async function* table(title: string, rows: Iterable<Row> | AsyncIterable<Row>): AsyncGenerator<string> {
  yield `<h2>${escaped(title)}</h2>\n<table>\n`;
  let tag = "th";
  for await (const row of rows) {
    yield `<tr>${row.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join("")}</tr>\n`;
    tag = "td";
  }
  yield "</table>\n";
}

async function* trialsOf(records: AsyncIterable<TrialRecord>): AsyncGenerator<Row> {
  yield ["case", "trial", "score", "run", "output", "feedback"];
  for await (const { caseId, trial, score, runId, output = "", error, scores } of records) {
    const feedback =
      error?.message ?? scores.map(({ scorer, feedback }) => `${scorer}: ${feedback}`).join("; ");
    yield [caseId, `${trial}`, score.toFixed(3), runId, output, feedback];
  }
}

const escapes: { readonly [char: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};
const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => escapes[char] as string); // it has each

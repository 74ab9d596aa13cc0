import type { ExperimentDocument } from "./document.ts";
import { headline, sectionsOf, wordsOf } from "./lines.ts";

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color-scheme:light dark}
table{border-collapse:collapse;margin:.5em 0 2em}td,th{padding:.3em .8em;text-align:left;border-bottom:1px solid #8884;vertical-align:top}`;

/** An experiment as one file that fetches nothing and runs nothing. */
export function htmlOf(document: ExperimentDocument): string {
  const title = escaped(headline(document));
  const tables = [...sectionsOf(document), trialsOf(document)].map(
    ({ title, rows: [head = [], ...rows] }) => {
      const cells = (row: readonly string[], tag: string): string =>
        `<tr>${row.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join("")}</tr>`;
      return `<h2>${escaped(title)}</h2>\n<table>\n${[cells(head, "th"), ...rows.map((row) => cells(row, "td"))].join("\n")}\n</table>`;
    },
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
<h1>${title}</h1>
${wordsOf(document)
  .map((text) => `<p>${escaped(text)}</p>`)
  .join("\n")}
${tables.join("\n")}
</html>
`;
}

const trialsOf = ({ records }: ExperimentDocument) => ({
  title: "Trials",
  rows: [
    ["case", "trial", "score", "run", "output", "feedback"],
    ...records.map(({ caseId, trial, score, runId, output = "", error, scores }) => [
      caseId,
      `${trial}`,
      score.toFixed(3),
      runId,
      output,
      error?.message ?? scores.map(({ scorer, feedback }) => `${scorer}: ${feedback}`).join("; "),
    ]),
  ],
});

const escapes: { readonly [char: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};
const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => escapes[char] as string); // it has each

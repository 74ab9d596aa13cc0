import type { ExperimentDocument } from "./document.ts";
import { headline, lookText, sectionsOf, verdictText } from "./lines.ts";

/** An experiment for a pull request's comment. */
export function markdownOf(document: ExperimentDocument): string {
  const tables = sectionsOf(document).map(({ title, rows: [head = [], ...rows] }) =>
    [`### ${title}`, "", row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n"),
  );
  const verdict = verdictText(document);
  const look = cell(lookText(document));
  const words = [...(verdict === "" ? [] : [`**${verdict}**`]), ...(look === "" ? [] : [look])];
  return `${[`## ${headline(document)}`, ...words, ...tables].join("\n\n")}\n`;
}

const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

/** Nothing of a cell is taken for the table, for markup or for a mention. */
const cell = (text: string): string =>
  text.replace(/[\\|<>`*_[\]@#]/g, (char) => (char === "@" ? "&#64;" : char === "<" ? "&lt;" : `\\${char}`));

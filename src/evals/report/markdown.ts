import type { ExperimentDocument, Listed } from "./document.ts";
import { headline, sectionsOf, wordsOf } from "./lines.ts";

/** An experiment for a pull request's comment. */
export function markdownOf(document: ExperimentDocument, listed: Pick<Listed, "cases">): string {
  const tables = sectionsOf(document, listed).map(
    ({ title, rows }) => `### ${title}

${table(rows)}`,
  );
  const words = wordsOf(document).map((text) => `**${cell(text)}**`);
  return `${[`## ${headline(document)}`, ...words, ...tables].join("\n\n")}\n`;
}

/** The first row names the columns. */
export const table = ([head = [], ...rows]: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

/** Nothing of a cell is taken for the table, for markup or for a mention. */
export const cell = (text: string): string =>
  text.replace(/[\\|<>`*_[\]@#]/g, (char) => (char === "@" ? "&#64;" : char === "<" ? "&lt;" : `\\${char}`));

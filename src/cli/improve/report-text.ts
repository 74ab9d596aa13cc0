import type { Report } from "../../evals/improve/report.ts";
import { tableText } from "../format.ts";
import { printable } from "../terminal.ts";

/** A report for the terminal. */
export function reportText({ headline, words, blocks }: Report): string {
  const parts = blocks.map((block) => {
    const content = "rows" in block ? tableText(block.rows) : block.lines.map(printable).join("\n");
    return `${printable(block.title)}\n${content}`;
  });
  return `${[printable(headline), ...words.map(printable), ...parts].join("\n\n")}\n`;
}

import { cell, table } from "../report/markdown.ts";
import type { Block, Report } from "./report.ts";

/**
 * A report for a pull request.
 *
 * ```ts
 * const file = await readOverlayFile("pipelines/greet.overlay.json");
 * const [patch] = patchesInForce(file, "hello");
 * if (patch !== undefined) console.log(reportMarkdown(await patchReport(patch)));
 * ```
 */
export function reportMarkdown({ headline, words, blocks }: Report): string {
  return `${[`## ${cell(headline)}`, ...words.map(cell), ...blocks.map(blockText)].join("\n\n")}\n`;
}

function blockText(block: Block): string {
  const content = "rows" in block ? table(block.rows) : fenced(block.lines);
  return `### ${cell(block.title)}\n\n${content}`;
}

/** A fence that no line of it can close. */
function fenced(lines: readonly string[]): string {
  const longest = Math.max(0, ...[...lines.join("\n").matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return [`${fence}diff`, ...lines, fence].join("\n");
}

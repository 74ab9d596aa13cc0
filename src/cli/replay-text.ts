/** What replays found, as text for people. */
import type { Difference, ReplayReport } from "../engine/replay/report.ts";
import { clip, count } from "./format.ts";
import { printable, redact } from "./terminal.ts";

const widest = 120;

/** Whether a run would not go, or not have gone, as it did. */
export const breaks = ({ same, refused }: ReplayReport): boolean => !same || refused;

export function replayText(report: ReplayReport): string {
  const { runId, pipeline, status, same, differences, changed, notRun, unknownRequests } = report;
  const lines = [
    `run       ${runId}`,
    `pipeline  ${pipeline}`,
    `status    ${status}`,
    `replay    ${same ? "the same" : count(differences.length, "difference")}: ${comparedText(report)}`,
    ...differences.flatMap(differenceLines),
  ];
  if (changed.length > 0) {
    const word = report.refused ? "it is resumed only with --force-version" : "since then";
    lines.push(`changed   ${changed.join(", ")} (${word})`);
  }
  if (notRun.length > 0) {
    lines.push(
      `not run   ${count(notRun.length, "body").replace("bodys", "bodies")} of steps: --bodies all runs them`,
    );
  }
  if (unknownRequests.length > 0) {
    lines.push(
      `unknown   what ${count(unknownRequests.length, "call")} of models asked: it was not recorded`,
    );
  }
  return redact(lines.map(printable).join("\n"));
}

/** Each run that breaks with what differs in it, and a last line that counts. */
export function checkText(reports: readonly ReplayReport[], unchecked: readonly Unchecked[]): string {
  const lines: string[] = [];
  for (const report of reports) {
    if (!breaks(report)) continue;
    lines.push(`${report.runId}  ${report.pipeline}, ${report.status}`);
    lines.push(...report.differences.flatMap(differenceLines));
    if (report.refused)
      lines.push(`  changed   ${report.changed.join(", ")}`, "            it is not resumed over that");
  }
  for (const { runId, why } of unchecked) lines.push(`${runId}  not checked: ${why}`);
  const broken = reports.filter(breaks).length;
  lines.push(
    `${count(reports.length, "run")} checked: ${broken === 0 ? "none breaks" : `${broken} would break`}.`,
  );
  return redact(lines.map(printable).join("\n"));
}

/** A run whose pipeline is not at hand. */
export interface Unchecked {
  readonly runId: string;
  readonly why: string;
}

const differenceLines = ({ path, what, recorded, now }: Difference): string[] => [
  `  ${what.padEnd(9)} ${path}`,
  `            recorded  ${clip(recorded, widest)}`,
  `            now       ${clip(now, widest)}`,
];

function comparedText({ compared: { decisions, bodies, operations, requests } }: ReplayReport): string {
  const walked = `${bodies} ${bodies === 1 ? "body" : "bodies"} with ${count(operations, "operation")}`;
  return `${count(decisions, "decision")}, ${walked}, ${count(requests, "request")} of models compared`;
}

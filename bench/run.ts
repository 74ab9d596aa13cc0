/**
 * The bench: `npm run bench [-- --only PART] [--rivals [NAME...]] [--keep]`.
 *
 * Raw limits first, then Flujo's targets beside them, then, when asked, other systems. The results go to
 * bench/README.md, unless `--keep` leaves it as it is; parts that did not run keep their former results there.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Finding, reached } from "./finding.ts";
import { parts } from "./flujo.ts";
import { figure } from "./measure.ts";
import { rawLimits } from "./raw.ts";
import { rivals } from "./rivals.ts";
import { machine, show, table, write } from "./tables.ts";

const { values, positionals } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    rivals: { type: "boolean" },
    keep: { type: "boolean" },
  },
  allowPositionals: true,
});
const unknown = values.only?.filter((part) => !(part in parts)) ?? [];
if (unknown.length > 0) {
  console.error(`No part is named ${unknown.join(", ")}: there are ${Object.keys(parts).join(", ")}.`);
  process.exit(2);
}

console.log(machine());
if (!(values.rivals && positionals.length > 0)) await limitsAndTargets();
if (values.rivals) await besideOthers(positionals);

async function limitsAndTargets(): Promise<void> {
  const limits = await rawLimits();
  const limitTable = table(
    ["limit", "figure"],
    limits.map(({ work, figure: f, unit }) => [work, `${figure(f)} ${unit}`]),
  );
  show("Limits", limitTable);
  const findings: Finding[] = [];
  const broken: string[] = [];
  for (const [name, part] of Object.entries(parts)) {
    if (values.only && !values.only.includes(name)) continue;
    try {
      const found = await part();
      findings.push(...found);
      show(name, targetTable(found));
    } catch (error) {
      // One broken part must not hide the others; it is shown as broken, and the bench fails.
      const [reason] = `${error instanceof Error ? error.message : error}`.split("\n");
      broken.push(`- **${name} could not be measured**: ${reason}`);
      console.error(`\n${name} could not be measured:`, error);
      process.exitCode = 1;
    }
  }
  const missed = findings.filter((finding) => reached(finding) === false).length;
  const verdict = `${findings.filter(reached).length} targets reached, ${missed} missed, ${broken.length} parts not measured.`;
  console.log(`\n${verdict}`);
  if (!values.only)
    keep("results", [machine(), limitTable, targetTable(findings), ...broken, verdict].join("\n\n"));
}

async function besideOthers(names: readonly string[]): Promise<void> {
  const { rows, notes } = await rivals(names);
  const text = [machine(), table(rows[0] ?? [], rows.slice(1)), ...notes].join("\n\n");
  show("Beside others", text);
  if (names.length === 0) keep("rivals", text);
}

function targetTable(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const { work, figure: f, unit, target, atLeast, note } = finding;
    const verdict = { true: "reached", false: "**missed**", undefined: "" }[`${reached(finding)}`] ?? "";
    return [
      work,
      `${figure(f)} ${unit}`,
      target === undefined ? "" : `${atLeast ? ">=" : "<="} ${target} ${unit}`,
      verdict,
      note ?? "",
    ];
  });
  return table(["work", "Flujo", "target", "verdict", ""], rows);
}

function keep(name: string, text: string): void {
  if (!values.keep) write(join(import.meta.dirname, "README.md"), name, text);
}

/** A run as a tree of text, with the conversations of its models. Much of it is from models: it is made printable. */
import type { Json } from "../../core/json.ts";
import type { CallView } from "../../lens/calls.ts";
import type { MessageView } from "../../lens/messages.ts";
import { modelText } from "../../lens/readable.ts";
import type { StateChange, Trace, TracedOperation } from "../../lens/trace.ts";
import { clip, count, duration } from "../format.ts";
import { costOf, markOf, nearest, operationFacts, preview, runLines, troubleLines } from "../report.ts";
import { printable, redact } from "../terminal.ts";

export interface TraceTextOptions {
  /** Who advances the run now. */
  readonly advancedBy: string | null;
  /** Every text and every item whole. */
  readonly full: boolean;
}

/** The head of the run, then each operation: when it began, and how it stands under what is around it. */
export function traceText({ run, operations }: Trace, { advancedBy, full }: TraceTextOptions): string {
  const { near, hidden } = full ? { near: operations, hidden: 0 } : nearest(operations);
  const widest = Math.max(0, ...near.map((operation) => afterText(operation).length));
  const outermost = Math.min(...near.map(({ depth }) => depth));
  const lines = near.flatMap((operation) =>
    operationLines(operation, widest, operation.depth - outermost, full),
  );
  if (hidden > 0)
    lines.push(
      `… and ${count(hidden, "operation")} of further items and turns: --full or --json has them all`,
    );
  return redact([...runLines(run, advancedBy), "", ...lines].map(printable).join("\n"));
}

const afterText = ({ afterMs }: TracedOperation): string => (afterMs === null ? "" : duration(afterMs));

function operationLines(operation: TracedOperation, width: number, depth: number, full: boolean): string[] {
  const indent = "  ".repeat(depth);
  const { name, input, output, partial, state = [], calls = [], messages = [] } = operation;
  const shown = full ? wholeText : preview;
  const told = messages.length > 0; // the answer stands among them
  const details = [
    ...(input === null ? [] : labelled("in", shown(input))),
    ...messages.flatMap((message) => messageLines(message, full)),
    ...(output === null || told ? [] : labelled("out", shown(output))),
    ...(partial === undefined || told ? [] : labelled("said", shown(partial))),
    ...state.flatMap((change) => labelled("state", stateText(change, shown))),
    ...(calls.length > 1 ? calls : calls.filter(isTold)).map(callText),
    ...troubleLines(operation),
  ];
  const margin = " ".repeat(width + 4) + indent;
  return [
    `${afterText(operation).padStart(width)}  ${indent}${markOf(operation)} ${name}  ${operationFacts(operation)}`,
    ...details.map((line) => `${margin}${line}`),
  ];
}

/** The label beside the first line of a text, the others below it. */
function labelled(label: string, text: string): string[] {
  return text.split("\n").map((line, i) => `${(i === 0 ? label : "").padEnd(labelWidth)}${line}`);
}
const labelWidth = 6;

const wholeText = (value: Json): string =>
  typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");

const stateText = ({ op, path, value }: StateChange, shown: (value: Json) => string): string =>
  op === "remove" ? `${path} removed` : `${path} = ${shown(value ?? null)}`;

/** Lines and characters of a message that are shown. */
const mostLines = 8;
const mostCharacters = 160;

function messageLines({ direction, role, kind, tool, failed, text }: MessageView, full: boolean): string[] {
  const arrow = direction === "to" ? "→" : "←";
  const what = kind === undefined ? role : [kind, tool].filter((word) => word !== undefined).join(" ");
  const head = `${arrow} ${what}${failed ? " (failed)" : ""}: `;
  const all = text.split("\n");
  const lines = full ? all : all.slice(0, mostLines).map((line) => clip(line, mostCharacters));
  const more = all.length > lines.length ? [`  … ${count(all.length - lines.length, "more line")}`] : [];
  return [...lines.map((line, i) => `${i === 0 ? head : "  "}${line}`), ...more];
}

/** Of a single call the cost stands beside the operation: more is said where there is more to it. */
const isTold = ({ standing, accounts }: CallView): boolean =>
  standing !== "settled" || accounts !== undefined;

function callText({ model, kind, standing, spent, reserved, accounts = [] }: CallView): string {
  const who = kind === "model-call" ? modelText(model) : model;
  const most = costOf(reserved);
  const how = {
    settled: `cost ${costOf(spent)} of ${most} reserved`,
    held: `${most} is held for it`,
    "in-doubt": `in doubt: all of ${most} counts`,
    released: "never made: nothing was charged",
  }[standing];
  return `paid  ${who}: ${how}${accounts.length === 0 ? "" : `, on ${accounts.join(", ")} as well`}`;
}

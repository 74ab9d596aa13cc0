/** A run as one HTML file to send to somebody: it fetches nothing, runs nothing, and shows what models wrote as text. */
import { createHash } from "node:crypto";
import type { Json } from "../core/json.ts";
import type { Costs } from "./costs.ts";
import { css } from "./html-style.ts";
import type { MessageView } from "./messages.ts";
import { modelText, type SpentView } from "./readable.ts";
import type { Trace, TracedOperation } from "./trace.ts";

/** Nothing but this very style sheet: no script, no image, no address. */
const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(css).digest("base64")}'; base-uri 'none'; form-action 'none'`;

export function traceHtml({ run, operations }: Trace, costs: Costs): string {
  const title = `${run.pipeline} ${run.runId}`;
  const total = Math.max(1, run.durationMs);
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${text(policy)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
    `<title>${text(title)}</title><style>${css}</style></head><body>`,
    `<header><h1>${text(run.pipeline)}</h1><p><code>${text(run.runId)}</code> <b class="${text(run.status)}">${text(run.status)}</b></p></header>`,
    "<main>",
    facts(run),
    costTable(
      "Cost by step",
      costs.steps.map(({ step, spent }) => [step, spent]),
    ),
    costTable(
      "Cost by model",
      costs.models.map(({ model, spent }) => [modelText(model), spent]),
    ),
    "<section><h2>Operations</h2>",
    tree(operations, total),
    "</section></main>",
    "<footer><p>Made by <code>flujo lens export --format html</code>. Sums are exact.</p></footer>",
    "</body></html>\n",
  ].join("\n");
}

function facts(run: Trace["run"]): string {
  const { fingerprint, createdAt, durationMs, spent, limits, input, output, error, waitingFor } = run;
  const rows: (readonly [string, string])[] = [
    ["version", `<code>${text(fingerprint)}</code>`],
    ["created", `<time>${text(createdAt)}</time>`],
    ["took", text(duration(durationMs))],
    [
      "spent",
      `$${text(spent.costUsd)}${limits.costUsd === undefined ? "" : ` of at most $${text(limits.costUsd)}`}`,
    ],
    ["calls", text(String(spent.calls))],
    ["tokens", `${number(spent.inputTokens)} in, ${number(spent.outputTokens)} out`],
    ["input", block(input)],
    ...(output === null ? [] : [["output", block(output)] as const]),
    ...(error === null ? [] : [["error", `<span class="failed">${text(error.message)}</span>`] as const]),
    ...waitingFor.map(({ path, prompt }) => ["waits", text(`${path} ${prompt}`)] as const),
  ];
  return `<section><h2>Run</h2><dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("")}</dl></section>`;
}

function costTable(title: string, rows: readonly (readonly [string, SpentView])[]): string {
  if (rows.length === 0) return "";
  const head = "<tr><th></th><th>cost</th><th>calls</th><th>tokens in</th><th>tokens out</th></tr>";
  const body = rows.map(
    ([name, { costUsd, calls, inputTokens, outputTokens }]) =>
      `<tr><td>${text(name)}</td><td>$${text(costUsd)}</td><td>${number(calls)}</td><td>${number(inputTokens)}</td><td>${number(outputTokens)}</td></tr>`,
  );
  return `<section><h2>${title}</h2><table>${head}${body.join("")}</table></section>`;
}

/** Operations as nested elements that open and close. */
function tree(operations: readonly TracedOperation[], totalMs: number): string {
  const parts: string[] = [];
  let open = 0;
  for (const operation of operations) {
    while (open > operation.depth) {
      parts.push("</details>");
      open -= 1;
    }
    parts.push(
      `<details${operation.depth === 0 ? " open" : ""}><summary>${summary(operation, totalMs)}</summary>`,
      details(operation),
    );
    open += 1;
  }
  return parts.join("\n") + "</details>".repeat(open);
}

function summary(
  { name, kind, status, attempts, durationMs, spent, cached, model, afterMs }: TracedOperation,
  totalMs: number,
): string {
  const marks = [
    kind,
    ...(model === undefined ? [] : [modelText(model)]),
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(cached ? ["cached"] : []),
    ...(durationMs === null ? [] : [duration(durationMs)]),
    ...(spent.costUsd === "0" ? [] : [`$${spent.costUsd}`]),
  ];
  return `<b class="${text(status)}">${text(status)}</b> <code>${text(name)}</code> <small>${text(marks.join(" · "))}</small>${bar(afterMs, durationMs, totalMs)}`;
}

/** When it was at work, on the run's time from left to right. */
function bar(afterMs: number | null, durationMs: number | null, totalMs: number): string {
  if (afterMs === null) return "";
  const part = (ms: number): string => ((1_000 * Math.max(0, ms)) / totalMs).toFixed(1);
  const width = Math.max(2, Number(part(durationMs ?? 0)));
  return `<svg viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true"><rect x="${part(afterMs)}" width="${width}" height="6"/></svg>`;
}

function details({
  path,
  input,
  output,
  error,
  state = [],
  messages = [],
  failures = [],
  notes = [],
  startedAt,
}: TracedOperation): string {
  const rows: (readonly [string, string])[] = [
    ["path", `<code>${text(path)}</code>`],
    ...(startedAt === null ? [] : [["began", `<time>${text(startedAt)}</time>`] as const]),
    ...(input === null ? [] : [["input", block(input)] as const]),
    ...messages.map((message) => [messageName(message), pre(message.text)] as const),
    ...(output === null || messages.length > 0 ? [] : [["output", block(output)] as const]),
    ...state.map(
      ({ op, path: at, value }) =>
        [`state ${op}`, text(at) + (value === undefined ? "" : block(value))] as const,
    ),
    ...failures.map(({ attempt, error: { message } }) => [`attempt ${attempt}`, text(message)] as const),
    ...(error === null ? [] : [["error", `<span class="failed">${text(error.message)}</span>`] as const]),
    ...notes.map((note) => ["note", text(note)] as const),
  ];
  return `<dl>${rows.map(([name, value]) => `<dt>${text(name)}</dt><dd>${value}</dd>`).join("")}</dl>`;
}

const messageName = ({ direction, role, kind, tool }: MessageView): string =>
  [direction === "to" ? "→" : "←", kind ?? role, tool].filter((word) => word !== undefined).join(" ");

const block = (value: Json): string =>
  pre(typeof value === "string" ? value : JSON.stringify(value, null, 2));
const pre = (content: string): string => `<pre>${text(content)}</pre>`;
const number = (n: number): string => n.toLocaleString("en");
const duration = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`);

const entities: { readonly [char: string]: string } = {
  ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;" },
  ...{ '"': "&quot;", "'": "&#39;" },
};

/** Text as HTML: no character of it is markup. Those that no HTML may hold are made visible. */
const text = (content: string): string =>
  content
    .replace(/[&<>"']/g, (char) => entities[char] as string) // it is one of them
    .replace(/(?![\n\t])\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);

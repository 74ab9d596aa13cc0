/** The pages behind an answer link, as HTML without scripts. `html` escapes whatever is put into it. */
import { html } from "hono/html";
import type { Json } from "../core/json.ts";
import type { InboxItem } from "../lens/inbox.ts";
import type { Field, Filled, Form } from "./answer-form.ts";

type Html = ReturnType<typeof html>;

/** A page that says one thing. Its title stays with whoever previews links: it tells nothing of the question. */
export function notice(heading: string, text: string, hint?: string): Html {
  return page(
    html`<h1>${heading}</h1><p role="status">${text}</p>${hint === undefined ? "" : html`<p class="aside">${hint}</p>`}`,
  );
}

/** What a question is shown with. */
export interface QuestionView {
  readonly item: InboxItem;
  readonly form: Form;
  /** When the link ends: an ISO date. */
  readonly until: string;
  /** What was filled in, and why it was not taken. */
  readonly filled?: Filled;
  readonly wrong?: string | undefined;
}

/** The question, and the form. */
export function question({ item, form, until, filled = {}, wrong }: QuestionView): Html {
  const { prompt, context, pipeline, runId, path, assignees, since, due } = item;
  return page(html`
    <p class="aside">${pipeline} asks${assignees === null ? "" : ` ${assignees.join(", ")}`}</p>
    <h1 class="prompt">${prompt === "" ? "Your answer is needed" : prompt}</h1>
    ${context === null ? "" : contextPart(context)}
    ${wrong === undefined ? "" : html`<p class="wrong" role="alert">${wrong}</p>`}
    <form method="post" accept-charset="utf-8">${inputs(form, filled, item)}</form>
    <dl class="aside">
      <dt>Run</dt><dd>${runId}</dd>
      <dt>Where</dt><dd>${path}</dd>
      <dt>Asked</dt><dd>${moment(since)}</dd>
      ${due === null ? "" : html`<dt>Waits until</dt><dd>${moment(due)}</dd>`}
      <dt>This link ends</dt><dd>${moment(until)}</dd>
    </dl>`);
}

function contextPart(context: Json): Html {
  if (typeof context !== "object" || context === null || Array.isArray(context))
    return html`<pre>${textOf(context)}</pre>`;
  const rows = Object.entries(context).map(
    ([name, value]) => html`<dt>${name}</dt><dd>${textOf(value)}</dd>`,
  );
  return html`<dl class="context">${rows}</dl>`;
}

function inputs(form: Form, filled: Filled, { asks, schema }: InboxItem): Html {
  switch (form.kind) {
    case "confirm":
      return html`<p>The answer of this link: <code>${JSON.stringify(form.answer)}</code></p>
        <p><button>${labelOf(form.answer)}</button></p>`;
    case "approval":
      return html`<p><label for="note">A note, for the run (optional)</label>
        <textarea id="note" name="note" rows="3">${filled.note ?? ""}</textarea></p>
        <p class="choices"><button name="approved" value="true">Approve</button>
        <button name="approved" value="false" class="no">Reject</button></p>`;
    case "fields":
      return html`${form.fields.map((field) => fieldPart(field, filled[field.input] ?? ""))}
        <p><button>Answer</button></p>`;
    case "json":
      return html`<p><label for="json">Your answer, as JSON</label>
        <textarea id="json" name="json" rows="8" spellcheck="false" required aria-describedby="must-be">${filled.json ?? ""}</textarea></p>
        <p id="must-be" class="aside">${asks === "outcome" ? outcomeHelp : `It must be: ${textOf(schema)}`}</p>
        <p><button>Answer</button></p>`;
  }
}

const outcomeHelp =
  '{"retry": true} to run it again, {"result": …} when it happened and this is what it returned, or {"failed": "why"}.';

function fieldPart({ input, label, help, kind, choices, required }: Field, value: string): Html {
  const must = required && kind !== "text" ? html` required` : "";
  const described = help === undefined ? "" : html` aria-describedby="${input}-help"`;
  const control =
    kind === "choice"
      ? html`<select id="${input}" name="${input}"${must}${described}><option value="">—</option>${choices.map(
          (choice, i) =>
            html`<option value="${i}"${value === String(i) ? html` selected` : ""}>${choiceText(choice)}</option>`,
        )}</select>`
      : kind === "number"
        ? html`<input id="${input}" name="${input}" type="text" inputmode="decimal" value="${value}"${must}${described}>`
        : html`<textarea id="${input}" name="${input}" rows="2"${described}>${value}</textarea>`;
  return html`<p><label for="${input}">${label}${required ? "" : " (optional)"}</label>${control}
    ${help === undefined ? "" : html`<span id="${input}-help" class="aside">${help}</span>`}</p>`;
}

const choiceText = (choice: Json): string => {
  if (typeof choice === "boolean") return choice ? "Yes" : "No";
  return textOf(choice);
};

/** What the button of a ready answer says. */
function labelOf(answer: unknown): string {
  if (typeof answer !== "object" || answer === null || !("approved" in answer)) return "Send this answer";
  return answer.approved === true ? "Approve" : "Reject";
}

const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

const moment = (iso: string): Html =>
  html`<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")} UTC</time>`;

function page(content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>A question · Flujo</title>
<link rel="stylesheet" href="style.css">
</head>
<body><main>${content}</main></body>
</html>
`;
}

/** The look of these pages: a file of its own, so that no page needs leave for styles inside it. */
export const style = `:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --soft: #595959; --line: #8a8a8a; --act: #0b57d0; --no: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --paper: #161616; --soft: #b0b0b0; --line: #7a7a7a; --act: #a8c7fa; --no: #f2b8b5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 2rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; }
.prompt, pre, dd { white-space: pre-wrap; }
pre, dd, code { overflow-wrap: anywhere; }
.aside { color: var(--soft); font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
label { display: block; font-weight: 600; }
textarea, input, select { width: 100%; padding: .5rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .3rem; }
button { padding: .6rem 1.2rem; font: inherit; font-weight: 600; color: var(--paper); background: var(--act); border: 0; border-radius: .3rem; cursor: pointer; }
button.no { background: var(--no); }
.choices { display: flex; gap: 1rem; }
.wrong { border-left: .3rem solid var(--no); padding-left: .7rem; }
:focus-visible { outline: .2rem solid var(--act); outline-offset: .15rem; }
`;

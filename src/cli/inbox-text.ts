/** What waits for whom, as text for people. Much of it is from models and other strangers: it is made printable. */
import type { Json } from "../core/json.ts";
import type { InboxItem } from "../lens/inbox.ts";
import { clip, duration } from "./format.ts";
import { shellWord } from "./next.ts";
import { printable, redact } from "./terminal.ts";

/** Something that waits, with the link by which it is answered, where one was asked for. */
export type LinkedItem = InboxItem & { readonly link?: string };

/** @param store the value of `--store`, if it was given: the next command needs it, too. */
export function inboxText(items: readonly LinkedItem[], store: string | undefined, now = Date.now()): string {
  const texts = items.map((item) => itemLines(item, store, now).join("\n"));
  return redact(printable(texts.join("\n\n")));
}

function itemLines(item: LinkedItem, store: string | undefined, now: number): string[] {
  const { runId, pipeline, path, prompt, context, assignees, schema, since, due, answered } = item;
  const who = assignees === null ? "anybody" : assignees.join(", ");
  const lines = [
    `${runId}  ${path}  (${pipeline})`,
    `  ${prompt}`,
    ...(context === null ? [] : fieldLines(context)),
    `  for ${who}, since ${duration(now - Date.parse(since))}${due === null ? "" : `, until ${due}`}`,
  ];
  if (item.asks === "answer") lines.push(`  an answer is: ${clip(JSON.stringify(schema), widest)}`);
  if (answered !== null)
    lines.push(`  answered by ${answered.by ?? "somebody"} at ${answered.at}: flujo resume ${runId}`);
  else
    lines.push(
      ...howTo(item).map(
        (command) => `  $ ${command}${store === undefined ? "" : ` --store ${shellWord(store)}`}`,
      ),
    );
  if (item.link !== undefined) lines.push(`  ${item.link}`);
  return lines;
}

/** Characters of a line that shows a value. */
const widest = 200;

function fieldLines(context: Json): string[] {
  if (typeof context !== "object" || context === null || Array.isArray(context))
    return [`  ${clip(valueText(context), widest)}`];
  return Object.entries(context).map(([name, value]) => `  ${name}: ${clip(valueText(value), widest)}`);
}

const valueText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

/** What a person may enter to answer. */
export function howTo({ runId, path, asks }: Pick<InboxItem, "runId" | "path" | "asks">): string[] {
  const at = `${runId} ${shellWord(path)}`;
  switch (asks) {
    case "approval":
      return [`flujo approve ${at}`, `flujo reject ${at}`];
    case "outcome":
      return [`flujo answer ${at} --data '{"retry":true}'`];
    case "answer":
      return [`flujo answer ${at} --data JSON`];
    case "event":
      return [`flujo signal ${at} --data JSON`];
  }
}

/** What a span says beside its facts: of an answer always its figures, and what was written only when asked for. */
import { isBlobRef } from "../core/entries.ts";
import type { Json } from "../core/json.ts";
import type { Store } from "../ports/store.ts";
import { answerAttributes, outputMessages } from "./answer.ts";
import { convention } from "./conventions.ts";
import type { Extras } from "./tell.ts";
import type { Attributes, ToldSpan } from "./told.ts";

/** The most characters that are told of one value. */
const longest = 8_192;

/** At once where nothing has to be fetched. */
export function extrasOf(
  told: ToldSpan,
  capture: boolean,
  store: Pick<Store, "blob">,
): Extras | Promise<Extras> {
  const { answer } = told;
  if (capture || isBlobRef(answer)) return fetched(told, capture, store);
  return answer === undefined ? {} : { attributes: answerAttributes(answer) };
}

async function fetched(
  { answer, content = {}, message }: ToldSpan,
  capture: boolean,
  store: Pick<Store, "blob">,
): Promise<Extras> {
  const attributes: Attributes = {};
  const whole = await fetchedJson(answer, store);
  if (whole !== undefined) Object.assign(attributes, answerAttributes(whole));
  if (!capture) return { attributes };
  if (whole !== undefined) attributes[convention.outputMessages] = shortened(outputMessages(whole));
  for (const [name, json] of Object.entries(content)) {
    const value = await fetchedJson(json, store);
    if (value !== undefined) attributes[name] = shortened(value);
  }
  return { attributes, ...(message === undefined ? {} : { message: message.slice(0, longest) }) };
}

async function fetchedJson(json: Json | undefined, store: Pick<Store, "blob">): Promise<Json | undefined> {
  if (!isBlobRef(json)) return json;
  const text = await store.blob(json.hash);
  return text === undefined ? undefined : (JSON.parse(text) as Json); // it was JSON when its hash was taken
}

function shortened(value: Json): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

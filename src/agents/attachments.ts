/**
 * Images and files in prompts. How many tokens a provider makes of one follows formulas of its own, so that no bound can
 * be worked out here: under a budget the author says the most that one may count.
 */
import { InvalidInputError } from "../core/errors.ts";
import type { CallOptions } from "./language-model.ts";

/** What is asked: a text, or texts, images and files in order. */
export type Prompt = string | readonly PromptPart[];

export type PromptPart =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "image";
      /** Bytes, a `data:` URL, or the address of an image, which the provider fetches. */
      readonly image: Uint8Array | URL | string;
      /** Default: of a `data:` URL its own, else that of any image: most providers see for themselves. */
      readonly mediaType?: string;
    }
  | {
      readonly type: "file";
      readonly data: Uint8Array | URL | string;
      /** `"application/pdf"`. */
      readonly mediaType: string;
      readonly filename?: string;
    };

type Message = CallOptions["prompt"][number];
type UserPart = Extract<Message, { role: "user" }>["content"][number];
type FilePart = Extract<UserPart, { type: "file" }>;

/** The parts of a user's message. @throws InvalidInputError for a text that is no address. */
export function userParts(prompt: Prompt): UserPart[] {
  if (typeof prompt === "string") return [{ type: "text", text: prompt }];
  return prompt.map((part): UserPart => {
    if (part.type === "text") return { type: "text", text: part.text };
    if (part.type === "image") return filePart(part.image, part.mediaType, "image/*");
    const { data, mediaType, filename } = part;
    return { ...filePart(data, mediaType, mediaType), ...(filename === undefined ? {} : { filename }) };
  });
}

function filePart(
  data: Uint8Array | URL | string,
  mediaType: string | undefined,
  otherwise: string,
): FilePart {
  if (data instanceof Uint8Array)
    return { type: "file", mediaType: mediaType ?? otherwise, data: { type: "data", data } };
  const text = String(data);
  const inline = /^data:([^;,]*)(;base64)?,/.exec(text);
  if (inline !== null) {
    const [head, own = "", isBase64] = inline;
    const body = text.slice(head.length);
    const bytes = isBase64 ? Buffer.from(body, "base64") : Buffer.from(decodeURIComponent(body), "utf8");
    const type = mediaType ?? (own === "" ? otherwise : own);
    return { type: "file", mediaType: type, data: { type: "data", data: new Uint8Array(bytes) } };
  }
  if (!URL.canParse(text)) throw notAnAddress(text);
  return { type: "file", mediaType: mediaType ?? otherwise, data: { type: "url", url: new URL(text) } };
}

/** How many images and files a conversation holds. */
export const attachmentsIn = (messages: readonly Message[]): number =>
  messages.reduce((count, message) => count + partsOf(message).filter(isFile).length, 0);

/** The conversation as far as its tokens can be bounded by its bytes: of a file, its name. */
export const withoutAttachments = (messages: readonly Message[]): readonly Message[] =>
  messages.map((message) =>
    message.role === "user" ? { ...message, content: message.content.map(named) } : message,
  );

const named = (part: UserPart): UserPart =>
  part.type === "file" ? { type: "text", text: part.filename ?? "" } : part;

/** The conversation as a model of an older specification takes it: with files as bare bytes and addresses. */
export function asSpecified(messages: readonly Message[], specification: string): Message[] {
  if (specification === "v4") return [...messages];
  return messages.map((message) =>
    message.role === "user" ? { ...message, content: message.content.map(bared) } : message,
  );
}

function bared(part: UserPart): UserPart {
  if (part.type !== "file") return part;
  const { data } = part;
  const bare: unknown = data.type === "data" ? data.data : data.type === "url" ? data.url : data;
  return { ...part, data: bare as FilePart["data"] }; // by the older specifications' own types
}

const partsOf = ({ role, content }: Message): readonly { readonly type: string }[] =>
  role === "user" ? content : [];
const isFile = ({ type }: { readonly type: string }): boolean => type === "file";

const notAnAddress = (text: string): InvalidInputError =>
  new InvalidInputError(
    `a prompt has an image or file at ${JSON.stringify(text.slice(0, 60))}, which is no address`,
    {
      hint: "Hand over bytes (Uint8Array), a data: URL, or an https: address.",
    },
  );

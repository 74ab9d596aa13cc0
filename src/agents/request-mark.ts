import { sha256 } from "../core/fingerprint.ts";

/** What a call asks of a model, in the parts that an author thinks of. */
export interface RequestParts {
  /** The conversation, or the texts; messages of the role `system` count as a part of their own. */
  readonly messages: readonly unknown[];
  readonly tools?: readonly unknown[] | undefined;
  /** Everything else that makes the answer what it is. */
  readonly settings: object;
}

/**
 * A request as four hashes: `system.messages.tools.settings`. They stand in the journal beside what people read of it, so that a
 * replay can tell in which part today's code would ask something else.
 */
export function requestMark({ messages, tools = [], settings }: RequestParts): string {
  const [system, rest] = [messages.filter(isSystem), messages.filter((one) => !isSystem(one))];
  return [system, rest, tools, settings].map(shortHash).join(".");
}

const isSystem = (message: unknown): boolean =>
  typeof message === "object" && message !== null && "role" in message && message.role === "system";

const hashDigits = 8;

const shortHash = (part: unknown): string => sha256(JSON.stringify(part, bytesByHash)).slice(0, hashDigits);

/** An image as a number list would be its size many times over. */
const bytesByHash = (_key: string, value: unknown): unknown =>
  value instanceof Uint8Array ? sha256(Buffer.from(value).toString("base64")) : value;

/**
 * A provable upper bound on the tokens of a request, without a tokenizer: a byte-level tokenizer (all the large
 * providers' are) never makes more tokens of a text than the text has UTF-8 bytes, because every token covers at
 * least one byte. What a provider adds around the texts is covered by the constants below, each well above what is
 * known of any chat format.
 *
 * The bound is 3 to 5 times the truth on ordinary text. It takes linear time on any text.
 */

/** Around each message: role, delimiters and separators (3 to 7 tokens in the published chat formats). */
export const tokensPerMessage = 16;
/** Once a request: start and end marks, the opening of the answer, a date line. */
export const tokensPerRequest = 64;
/** Around each tool's description when it is rendered into the prompt. */
export const tokensPerTool = 64;
/** Instructions some providers add when tools or an answer schema are used (346 to 804 tokens in Anthropic's tables). */
export const tokensForInstructions = 1_024;

/** A request as plain data: each message's role and parts, and all that is rendered into the prompt beside them. */
export interface PromptShape {
  readonly messages: readonly { readonly role: string; readonly content: string | readonly object[] }[];
  readonly tools?: readonly object[] | undefined;
  /** The JSON Schema the answer must fit. */
  readonly schema?: object | undefined;
  /** Options handed to the provider, which may put them into the prompt. */
  readonly options?: object | undefined;
}

/** No tokenizer makes more input tokens of the request than this. */
export function tokenBound(prompt: PromptShape): number {
  const { messages, tools = [], schema, options } = prompt;
  let tokens = tokensPerRequest;
  for (const { role, content } of messages)
    tokens += tokensPerMessage + utf8Bytes(role) + contentBytes(content);
  for (const tool of tools) tokens += tokensPerTool + jsonBytes(tool);
  if (schema !== undefined) tokens += jsonBytes(schema);
  if (options !== undefined) tokens += jsonBytes(options);
  return tools.length > 0 || schema !== undefined ? tokens + tokensForInstructions : tokens;
}

/** No tokenizer makes more tokens of the texts of one request for embeddings. */
export function embeddingBound(values: readonly string[], options: object = {}): number {
  return values.reduce(
    (tokens, value) => tokens + tokensPerMessage + utf8Bytes(value),
    tokensPerRequest + jsonBytes(options),
  );
}

function contentBytes(content: string | readonly object[]): number {
  if (typeof content === "string") return utf8Bytes(content);
  return content.reduce((bytes, part) => bytes + partBytes(part), 0);
}

/** A bare text counts as itself; any other part as its JSON, which is never shorter than the texts in it. */
function partBytes(part: object): number {
  if ("text" in part && typeof part.text === "string" && Object.keys(part).length === 2)
    return utf8Bytes(part.text);
  return tokensPerMessage + jsonBytes(part);
}

/** UTF-8 bytes of a text; a lone surrogate counts three, as the replacement character sent in its place. */
export const utf8Bytes = (text: string): number => Buffer.byteLength(text, "utf8");
const jsonBytes = (value: object): number => utf8Bytes(JSON.stringify(value) ?? "");

/** Gemini's generateContent, as Google's own API and Vertex serve it. Its output count leaves the thoughts out. */
import {
  at,
  type Body,
  type Frame,
  listOf,
  numberOr,
  pieces,
  type Served,
  textsIn,
  type WireFormat,
} from "./format.ts";

export const gemini: WireFormat = {
  name: "gemini",
  countsCacheWrites: false,
  read(path, body) {
    const [, model, verb] = /\/models\/([^/:]+):(generateContent|streamGenerateContent)\b/.exec(path) ?? [];
    return model === undefined ? undefined : asked(model, verb === "streamGenerateContent", body);
  },
  document: (served) => ({
    ...candidate(served, [...thoughts(served), ...answers(served)], finish[served.end]),
    ...usage(served),
  }),
  frames(served) {
    const parts = served.toolCalls.length > 0 ? answers(served) : pieces(served.text).map(textPart);
    const frames = [...thoughts(served), ...parts].map(
      (part): Frame => ({ data: candidate(served, [part]) }),
    );
    return [
      ...frames,
      { data: { ...candidate(served, [textPart("")], finish[served.end]), ...usage(served) } },
    ];
  },
  // Google says how long to wait in the body, and in no header.
  refusal(status, message, retryAfter) {
    const wait = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${retryAfter}s` };
    const details = retryAfter === undefined ? [] : [wait];
    return { document: { error: { code: status, message, status: `HTTP_${status}`, details } } };
  },
};

const asked = (model: string, stream: boolean, body: Body) => ({
  model,
  stream,
  streamUsage: true,
  text: textsIn([body.systemInstruction, body.contents], ["text", "content"]),
  cap: numberOr(at(body, "generationConfig", "maxOutputTokens")),
  schema: at(body, "generationConfig", "responseJsonSchema"),
  tools: listOf(body.tools).flatMap((group) =>
    listOf(at(group, "functionDeclarations")).map((tool) => String(at(tool, "name"))),
  ),
  images: listOf(at(body, "generationConfig", "responseModalities")).includes("IMAGE") ? 1 : undefined,
});

const finish = { stop: "STOP", length: "MAX_TOKENS", tools: "STOP" } as const;

const candidate = ({ index, asked }: Served, parts: readonly object[], finishReason?: string) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, ...(finishReason ? { finishReason } : {}) }],
  modelVersion: asked.model,
  responseId: `resp-${index}`,
});

const textPart = (text: string) => ({ text });

const thoughts = ({ thought }: Served) => (thought === "" ? [] : [{ text: thought, thought: true }]);

/** A call bears a signature that has to come back with it in the next turn. */
function answers({ index, asked, text, toolCalls, pictures }: Served): object[] {
  if (asked.images !== undefined)
    return pictures.map((picture) => ({
      inlineData: { mimeType: "image/png", data: picture.toString("base64") },
    }));
  if (toolCalls.length === 0) return [textPart(text)];
  return toolCalls.map(({ name, input }) => ({
    functionCall: { name, args: input },
    thoughtSignature: `signed-${index}`,
  }));
}

function usage({ counts }: Served) {
  if (counts === undefined) return {};
  return {
    usageMetadata: {
      promptTokenCount: counts.input,
      cachedContentTokenCount: counts.cacheRead,
      candidatesTokenCount: counts.output - counts.reasoning,
      thoughtsTokenCount: counts.reasoning,
      totalTokenCount: counts.input + counts.output,
    },
  };
}

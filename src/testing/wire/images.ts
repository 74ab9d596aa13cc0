/** Requests for images in OpenAI's format. Gemini's stand in its answers: see gemini.ts. */
import { numberOr, type WireFormat } from "./format.ts";
import { openaiChat } from "./openai-chat.ts";

export const openaiImages: WireFormat = {
  name: "openai.images",
  countsCacheWrites: false,
  read: (path, body) =>
    path.endsWith("/images/generations")
      ? {
          model: String(body.model),
          stream: false,
          streamUsage: false,
          text: String(body.prompt),
          cap: undefined,
          schema: undefined,
          tools: [],
          images: numberOr(body.n) ?? 1,
        }
      : undefined,
  document: ({ pictures }) => ({
    created: 0,
    data: pictures.map((picture) => ({ b64_json: picture.toString("base64") })),
  }),
  frames: () => [],
  refusal: openaiChat.refusal,
};

/** What Flujo asks of an image model: one `doGenerate` of the AI SDK, which is one request on the wire. */
import type { ImageModelV2, ImageModelV3, ImageModelV4 } from "@ai-sdk/provider";
import type { GeneratedImage } from "../core/context.ts";
import { isRecord } from "./language-model.ts";

/** An AI SDK image model, of provider specification 4, 3 or 2. */
export type ImageModel = ImageModelV4 | ImageModelV3 | ImageModelV2;
export type ImageOptions = Parameters<ImageModelV4["doGenerate"]>[0];

export interface Pictured {
  readonly images: readonly GeneratedImage[];
  /** The provider refuses to make this image: it would do so again. */
  readonly refused: boolean;
}

/** Whether a value can be called as an image model. A language model has a `doGenerate`, too. */
export function isImageModel(value: unknown): value is ImageModel {
  return (
    isRecord(value) &&
    typeof value.doGenerate === "function" &&
    "maxImagesPerCall" in value &&
    "provider" in value &&
    "modelId" in value
  );
}

/** How many images one call makes at most: 1 for a model that does not say. */
export async function imagesPerCall({ maxImagesPerCall, modelId }: ImageModel): Promise<number> {
  const most =
    typeof maxImagesPerCall === "function" ? await maxImagesPerCall({ modelId }) : maxImagesPerCall;
  return most ?? 1;
}

/** One call. Throws what the provider throws. */
export async function imagesOnce(model: ImageModel, options: ImageOptions): Promise<Pictured> {
  // The three specifications take the same options as far as Flujo uses them, and give the same images.
  const { images, isRetryable } = await (model as ImageModelV4).doGenerate(options);
  const all = images.map((image) => (typeof image === "string" ? Buffer.from(image, "base64") : image));
  return {
    images: all
      .filter(({ length }) => length > 0)
      .map((bytes) => ({ data: new Uint8Array(bytes), mediaType: mediaTypeOf(bytes) })),
    refused: isRetryable === false,
  };
}

/** What images of each kind have in their first bytes, and where. */
const marks: readonly (readonly [at: number, mark: string, mediaType: string])[] = [
  [1, "PNG", "image/png"],
  [0, "\u00ff\u00d8\u00ff", "image/jpeg"],
  [8, "WEBP", "image/webp"],
  [0, "GIF8", "image/gif"],
  [4, "ftypavif", "image/avif"],
  [0, "<svg", "image/svg+xml"],
];

function mediaTypeOf(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  return marks.find(([at, mark]) => head.startsWith(mark, at))?.[2] ?? "application/octet-stream";
}

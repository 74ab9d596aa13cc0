/** Images: bought by the piece, in calls of as many as the model makes at once, each call a paid operation. */
import type { ImagePrice } from "../budget/image-prices.ts";
import type { GeneratedImage, ImageRequest, PaidContext, Quote, QuotedRates } from "../core/context.ts";
import { InvalidOptionError, ModelCallError } from "../core/errors.ts";
import { type Batch, type CallTerms, inBatches } from "./batches.ts";
import { imagesOnce, imagesPerCall, isImageModel } from "./image-model.ts";
import { nameOfObject } from "./language-model.ts";
import type { ModelSource, PricedImageModel } from "./priced-model.ts";
import { checkProviderOptions } from "./provider-options.ts";
import { requestMark } from "./request-mark.ts";

/** The most that one request may ask for. */
const mostImages = 1_000;

/** @throws InvalidOptionError for an object that is no image model. */
export function imageName(model: string | object): string {
  if (typeof model === "string") return model;
  if (isImageModel(model)) return nameOfObject(model);
  throw new InvalidOptionError("the model is neither a name nor an AI SDK image model", {
    hint: 'Write "openai:gpt-image-1", or hand over what openai.imageModel("…") of @ai-sdk/openai returns.',
  });
}

/** What a request must be, whatever it shows. @throws InvalidOptionError */
export function checkImage(request: Omit<ImageRequest, "prompt">, who: string): void {
  const { model, n = 1, providerOptions } = request;
  imageName(model);
  if (!Number.isSafeInteger(n) || n < 1 || n > mostImages)
    throw new InvalidOptionError(`n of ${who} is ${n}; it takes a whole number from 1 to ${mostImages}`);
  checkProviderOptions(providerOptions, who);
}

/** One image, or a list of `n`. */
export async function makeImages(
  source: ModelSource,
  context: PaidContext,
  name: string,
  request: ImageRequest,
): Promise<GeneratedImage | GeneratedImage[]> {
  checkImage(request, `the image "${name}" of ${context.path}`);
  context.signal.throwIfAborted();
  const priced = await source.findImage(request.model);
  const { n } = request;
  if (n === undefined) {
    const only = batchOf(priced, request, 1, 0, ([first]) => first);
    const [image] = await inBatches(context, name, [only], false);
    return image as GeneratedImage; // of one batch
  }
  const most = Math.max(1, await imagesPerCall(priced.model));
  const batches: Batch<readonly GeneratedImage[]>[] = [];
  for (let made = 0; made < n; made += most)
    batches.push(batchOf(priced, request, Math.min(most, n - made), batches.length, (images) => images));
  return (await inBatches(context, name, batches, true)).flat();
}

type Images = readonly [GeneratedImage, ...GeneratedImage[]];

/**
 * A call for so many images. What is recorded is what a body gets, so that one that returns it as its output makes the
 * store keep it once.
 */
function batchOf<T>(
  { name, model, price }: PricedImageModel,
  request: ImageRequest,
  count: number,
  index: number,
  pick: (images: Images) => T,
): Batch<T> {
  const { prompt, size, aspectRatio, seed, providerOptions = {} } = request;
  const each = price?.picoUsd ?? 0n;
  const quote: Quote = {
    model: name,
    per: "image",
    fee: each * BigInt(count),
    inputTokens: 0,
    outputTokens: { wanted: 0, least: 0 },
    asked: requestMark({ messages: [prompt], settings: { size, aspectRatio, seed, providerOptions } }),
    ...(price === undefined ? {} : { rates: ratesOf(price) }),
  };
  const shape = { prompt, n: count, size, aspectRatio, files: undefined, mask: undefined, providerOptions };
  const call = async (terms: CallTerms) => {
    const seeded = { ...shape, ...terms, seed: seed === undefined ? undefined : seed + index };
    const { images, refused } = await imagesOnce(model, seeded);
    const [first, ...others] = images;
    if (first === undefined) throw noImage(name, refused);
    // Nobody says whether an image that did not come is billed: it counts. One too many is a breach.
    const bought = BigInt(Math.max(count, images.length));
    return { value: pick([first, ...others]), picoUsd: each * bought, inputTokens: 0, outputTokens: 0 };
  };
  return { quote, call, sent: () => [{ role: "user", text: prompt }] };
}

const ratesOf = ({ picoUsd, source, date }: ImagePrice): QuotedRates => ({
  input: 0n,
  output: 0n,
  image: picoUsd,
  source,
  date,
});

const noImage = (model: string, refused: boolean): ModelCallError =>
  new ModelCallError(`${model} answered without an image`, {
    charge: "in-doubt",
    retryable: !refused,
    hint: "Providers withhold what their rules forbid. Look at the prompt.",
  });

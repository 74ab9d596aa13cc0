/**
 * Models by name: `"provider:model"`. A provider's package loads when a model of it is first needed, from beside Flujo
 * or from the user's folder, and is named when it is missing.
 */
import { MissingPackageError, UnknownModelError } from "../core/errors.ts";
import type { ModelKind } from "../core/node.ts";
import { importPackage } from "../ports/optional-package.ts";
import { type EmbeddingModel, isEmbeddingModel } from "./embedding-model.ts";
import { type ImageModel, isImageModel } from "./image-model.ts";
import { isLanguageModel, isRecord, type LanguageModel } from "./language-model.ts";
import { extractModel } from "./offline.ts";
import { type Published, publishedProviders } from "./published-providers.ts";

/** Providers of the user's own: `{ "my": (id) => myProvider(id) }` makes `"my:some-model"`. They come first. */
export interface Providers {
  readonly [name: string]: LanguageProvider | AnyProvider;
}

/** A function that makes language models, as what `createOpenAI()` returns. Its methods make other ones. */
export interface LanguageProvider extends AnyProvider {
  (modelId: string): LanguageModel | Promise<LanguageModel>;
}

/** What the AI SDK calls a provider: its models by method. */
export interface AnyProvider {
  languageModel?(modelId: string): LanguageModel | Promise<LanguageModel>;
  embeddingModel?(modelId: string): EmbeddingModel | Promise<EmbeddingModel>;
  imageModel?(modelId: string): ImageModel | Promise<ImageModel>;
}

/** How the models of each kind are told and made. */
interface Kinds {
  readonly language: LanguageModel;
  readonly embedding: EmbeddingModel;
  readonly image: ImageModel;
}
const kinds = {
  language: { is: isLanguageModel, methods: ["languageModel"] },
  embedding: { is: isEmbeddingModel, methods: ["embeddingModel", "textEmbeddingModel"] }, // the latter is its older name
  image: { is: isImageModel, methods: ["imageModel"] },
} as const;

type Make = (modelId: string, kind: ModelKind) => unknown;

/** Those of docs/providers.md, and `offline:extract`, which picks sentences without a network: it is not an LLM. */
const builtIn: { readonly [name: string]: Make } = {
  ...Object.fromEntries(
    Object.entries(publishedProviders).map(([name, published]) => [
      name,
      (id: string, kind: ModelKind) => load(published, id, kind),
    ]),
  ),
  offline: (id, kind) => {
    if (id !== "extract" || kind !== "language")
      throw new UnknownModelError(`there is no offline ${kind} model "${id}"`, {
        hint: 'Use "offline:extract".',
      });
    return extractModel();
  },
};

/** The names of the providers above. */
export const builtInProviders: readonly string[] = Object.keys(builtIn);

/**
 * The model of a name, ready to be called; nothing goes over the network.
 *
 * @param kind what it must be able to make.
 * @throws UnknownModelError, MissingPackageError, MissingKeyError: each says what to do.
 */
export async function resolveModel<Kind extends ModelKind>(
  name: string,
  own: Providers,
  kind: Kind,
): Promise<Kinds[Kind]> {
  const colon = name.indexOf(":");
  const provider = name.slice(0, Math.max(0, colon));
  const id = name.slice(colon + 1);
  const makers: { readonly [name: string]: Make } = {
    ...builtIn,
    ...Object.fromEntries(Object.entries(own).map(maker)),
  };
  const make = Object.hasOwn(makers, provider) ? makers[provider] : undefined;
  if (make === undefined || id === "") {
    const list = Object.keys(makers).map((one) => `${one}:`);
    const wrong =
      colon < 0
        ? `"${name}" names no provider`
        : id === ""
          ? `"${name}" names no model`
          : `there is no provider "${provider}"`;
    throw new UnknownModelError(`unknown model "${name}": ${wrong}`, {
      hint: `Write "provider:model", as "openai:gpt-4o-mini". Providers: ${list.join(", ")}.`,
    });
  }
  const model: unknown = await make(id, kind);
  if (kinds[kind].is(model)) return model as Kinds[Kind]; // the kind's own test says so
  throw new UnknownModelError(`the provider "${provider}" returned no ${kind} model for "${id}"`, {
    hint: hints[kind],
  });
}

const hints: { readonly [kind in ModelKind]: string } = {
  language: "A provider is a function (modelId) => AI SDK language model.",
  embedding: "A provider of embeddings has a method embeddingModel(modelId), as those of the AI SDK.",
  image: "A provider of images has a method imageModel(modelId), as those of the AI SDK.",
};

const maker = ([name, provider]: readonly [string, LanguageProvider | AnyProvider]): readonly [
  string,
  Make,
] => [name, (id, kind) => made(provider, id, kind)];

/** What a provider makes of a name; undefined when it has no models of the kind. */
function made(provider: unknown, id: string, kind: ModelKind): unknown {
  if (kind === "language" && typeof provider === "function") return provider(id);
  const make = methodOf(provider, ...kinds[kind].methods);
  try {
    return make?.(id);
  } catch (error) {
    if (isRecord(error) && error.name === "AI_NoSuchModelError") return undefined;
    throw error;
  }
}

/** The first of these methods that it has. */
function methodOf(provider: unknown, ...names: readonly string[]): ((id: string) => unknown) | undefined {
  if (typeof provider !== "function" && !isRecord(provider)) return undefined;
  const methods = provider as Record<string, unknown>; // functions have fields, too
  for (const name of names) {
    const method = methods[name];
    if (typeof method === "function") return (id) => method.call(provider, id);
  }
  return undefined;
}

async function load(published: Published, id: string, kind: ModelKind): Promise<unknown> {
  const module = await importPackage(published.package);
  const settings = published.settings();
  const create = module[published.create];
  const provider: unknown = typeof create === "function" ? create(settings) : undefined;
  const { flavour } = published;
  const flavoured = kind === "language" && flavour !== undefined;
  const model = flavoured ? methodOf(provider, flavour)?.(id) : made(provider, id, kind);
  if (kind !== "language" || isLanguageModel(model)) return model;
  throw new MissingPackageError(`${published.package} is installed in a version Flujo cannot use`, {
    hint: `npm install ${published.package}@latest`,
  });
}

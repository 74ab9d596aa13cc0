/**
 * Models by name: `"provider:model"`. A provider's package loads when a model of it is first needed, from beside Flujo
 * or from the user's folder, and is named when it is missing.
 */
import { MissingPackageError, UnknownModelError } from "../core/errors.ts";
import { importPackage } from "../ports/optional-package.ts";
import { isLanguageModel, type LanguageModel } from "./language-model.ts";
import { extractModel } from "./offline.ts";
import { type Published, publishedProviders } from "./published-providers.ts";

/** Providers of the user's own: `{ "my": (id) => myProvider(id) }` makes `"my:some-model"`. They come first. */
export interface Providers {
  readonly [name: string]: (modelId: string) => LanguageModel | Promise<LanguageModel>;
}

/** Those of docs/providers.md, and `offline:extract`, which picks sentences without a network: it is not an LLM. */
const builtIn: Providers = {
  ...Object.fromEntries(
    Object.entries(publishedProviders).map(([name, published]) => [
      name,
      (id: string) => load(published, id),
    ]),
  ),
  offline: (id) => {
    if (id !== "extract")
      throw new UnknownModelError(`there is no offline model "${id}"`, { hint: 'Use "offline:extract".' });
    return extractModel();
  },
};

/** The names of the providers above. */
export const builtInProviders: readonly string[] = Object.keys(builtIn);

/**
 * The model of a name, ready to be called; nothing goes over the network.
 *
 * @throws UnknownModelError, MissingPackageError, MissingKeyError: each says what to do.
 */
export async function resolveModel(name: string, own: Providers = {}): Promise<LanguageModel> {
  const colon = name.indexOf(":");
  const provider = name.slice(0, Math.max(0, colon));
  const id = name.slice(colon + 1);
  const known = { ...builtIn, ...own };
  const find = Object.hasOwn(known, provider) ? known[provider] : undefined;
  if (find === undefined || id === "") {
    const list = Object.keys(known).map((one) => `${one}:`);
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
  const model: unknown = await find(id);
  if (isLanguageModel(model)) return model;
  throw new UnknownModelError(`the provider "${provider}" returned no language model for "${id}"`, {
    hint: "A provider is a function (modelId) => AI SDK language model.",
  });
}

async function load(published: Published, id: string): Promise<LanguageModel> {
  const module = await importPackage(published.package);
  const settings = published.settings();
  const create = module[published.create];
  const provider: unknown = typeof create === "function" ? create(settings) : undefined;
  const { flavour } = published;
  const make = flavour === undefined ? provider : (provider as Record<string, unknown>)?.[flavour]; // checked below
  const model: unknown = typeof make === "function" ? make(id) : undefined;
  if (isLanguageModel(model)) return model;
  throw new MissingPackageError(`${published.package} is installed in a version Flujo cannot use`, {
    hint: `npm install ${published.package}@latest`,
  });
}

/**
 * Models by name: `"provider:model"`. A provider's package loads when a model of it is first needed, from beside Flujo
 * or from the user's folder, and is named when it is missing.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MissingKeyError, MissingPackageError, UnknownModelError } from "../core/errors.ts";
import { isLanguageModel, isRecord, type LanguageModel } from "./language-model.ts";
import { extractModel } from "./offline.ts";

/** Providers of the user's own: `{ "my": (id) => myProvider(id) }` makes `"my:some-model"`. They come first. */
export interface Providers {
  readonly [name: string]: (modelId: string) => LanguageModel | Promise<LanguageModel>;
}

/** How a published provider is loaded. */
interface Package {
  readonly name: string;
  /** The function of the package that makes the provider. */
  readonly create: string;
  readonly key: string;
  readonly baseUrl: string;
}

const openai: Package = {
  name: "@ai-sdk/openai",
  create: "createOpenAI",
  key: "OPENAI_API_KEY",
  baseUrl: "OPENAI_BASE_URL",
};
const anthropic: Package = {
  name: "@ai-sdk/anthropic",
  create: "createAnthropic",
  key: "ANTHROPIC_API_KEY",
  baseUrl: "ANTHROPIC_BASE_URL",
};
const google: Package = {
  name: "@ai-sdk/google",
  create: "createGoogleGenerativeAI",
  key: "GOOGLE_GENERATIVE_AI_API_KEY",
  baseUrl: "GOOGLE_GENERATIVE_AI_BASE_URL",
};

/**
 * The providers Flujo knows by name.
 *
 * | name | speaks | key, base URL |
 * | --- | --- | --- |
 * | `openai:` | OpenAI's Responses API | `OPENAI_API_KEY`, `OPENAI_BASE_URL` |
 * | `openai.chat:` | OpenAI's chat completions, and whatever is compatible with them | the same |
 * | `anthropic:` | Anthropic's Messages API | `ANTHROPIC_API_KEY`, `ANTHROPIC_BASE_URL` |
 * | `google:` | Gemini | `GOOGLE_GENERATIVE_AI_API_KEY`, `GOOGLE_GENERATIVE_AI_BASE_URL` |
 * | `offline:extract` | nobody: picks sentences, without a network. It is not an LLM. | |
 */
const builtIn: Providers = {
  openai: (id) => load(openai, id),
  "openai.chat": (id) => load(openai, id, "chat"),
  anthropic: (id) => load(anthropic, id),
  google: (id) => load(google, id),
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

async function load(source: Package, id: string, flavour?: "chat"): Promise<LanguageModel> {
  const module = await importPackage(source.name);
  const apiKey = process.env[source.key];
  if (apiKey === undefined || apiKey.trim() === "") {
    throw new MissingKeyError(`the API key of ${source.name} is not set`, {
      hint: `Set the environment variable ${source.key}, or use "offline:extract", which needs none (it is not an LLM).`,
    });
  }
  const baseURL = process.env[source.baseUrl];
  const create = module[source.create];
  const provider: unknown =
    typeof create === "function" ? create({ apiKey, ...(baseURL ? { baseURL } : {}) }) : undefined;
  const make = flavour === undefined ? provider : (provider as Record<string, unknown>)?.[flavour]; // checked below
  const model: unknown = typeof make === "function" ? make(id) : undefined;
  if (isLanguageModel(model)) return model;
  throw new MissingPackageError(`${source.name} is installed in a version Flujo cannot use`, {
    hint: `npm install ${source.name}@latest`,
  });
}

/**
 * Imports an optional package: as Flujo itself sees it, else as the user's folder does, because Flujo may be
 * installed globally.
 *
 * @throws MissingPackageError naming the command that installs it.
 */
export async function importPackage(name: string, folder = process.cwd()): Promise<Record<string, unknown>> {
  const places = [
    () => name,
    () => pathToFileURL(createRequire(join(folder, "package.json")).resolve(name)).href,
  ];
  for (const place of places) {
    try {
      const module: unknown = await import(place());
      if (isRecord(module)) return module;
    } catch (error) {
      if (!isMissing(error, name)) {
        throw new MissingPackageError(
          `the package ${name} is installed but does not load: ${String(error)}`,
          {
            cause: error,
            hint: `npm install ${name}@latest`,
          },
        );
      }
    }
  }
  throw new MissingPackageError(`the package ${name} is not installed`, { hint: `npm install ${name}` });
}

/** Missing itself, not one of the packages it needs. */
const isMissing = (error: unknown, name: string): boolean =>
  isRecord(error) &&
  (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND") &&
  String(error.message).includes(`'${name}'`);

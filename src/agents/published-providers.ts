/**
 * The providers Flujo knows by name: the package that speaks for each, and how the environment makes its settings.
 * docs/providers.md says what each can do and which test proves it.
 */
import { InvalidOptionError, MissingKeyError } from "../core/errors.ts";
import { geminiFetch } from "./gemini-fetch.ts";
import { ollamaUrl } from "./ollama-url.ts";

/** How a published provider is loaded. */
export interface Published {
  readonly package: string;
  /** The function of the package that makes the provider. */
  readonly create: string;
  /** The part of the provider that makes the model. Default: the provider itself. */
  readonly flavour?: "chat";
  /** @throws MissingKeyError naming the variable that is missing. */
  settings(): object;
}

const openai: Published = {
  package: "@ai-sdk/openai",
  create: "createOpenAI",
  settings: () => keyed("@ai-sdk/openai", "OPENAI"),
};

const anthropic: Published = {
  package: "@ai-sdk/anthropic",
  create: "createAnthropic",
  settings: () => keyed("@ai-sdk/anthropic", "ANTHROPIC"),
};

const google: Published = {
  package: "@ai-sdk/google",
  create: "createGoogleGenerativeAI", // the newer name is unknown to older versions
  settings: () => ({ ...keyed("@ai-sdk/google", "GOOGLE_GENERATIVE_AI"), fetch: geminiFetch }),
};

const vertex: Published = {
  package: "@ai-sdk/google-vertex",
  create: "createVertex", // the newer name is unknown to older versions
  settings: () => ({ ...vertexAccess(), ...baseUrl(variable("GOOGLE_VERTEX_BASE_URL")), fetch: geminiFetch }),
};

const ollama: Published = {
  package: "@ai-sdk/openai-compatible",
  create: "createOpenAICompatible",
  settings() {
    const url = checkedUrl(ollamaUrl(process.env), "OLLAMA_BASE_URL or OLLAMA_HOST");
    return compatibleSettings("ollama", url, variable("OLLAMA_API_KEY"));
  },
};

const compatible: Published = {
  package: "@ai-sdk/openai-compatible",
  create: "createOpenAICompatible",
  settings() {
    const url = variable("OPENAI_COMPATIBLE_BASE_URL")?.trim();
    if (url === undefined) {
      throw new MissingKeyError("the base URL of the OpenAI-compatible server is not set", {
        hint: 'Set the environment variable OPENAI_COMPATIBLE_BASE_URL, as "http://127.0.0.1:8000/v1".',
      });
    }
    const checked = checkedUrl(url, "OPENAI_COMPATIBLE_BASE_URL");
    return compatibleSettings("compatible", checked, variable("OPENAI_COMPATIBLE_API_KEY"));
  },
};

/**
 * | name | speaks | environment |
 * | --- | --- | --- |
 * | `openai:` | OpenAI's Responses API | `OPENAI_API_KEY`, `OPENAI_BASE_URL` |
 * | `openai.chat:` | OpenAI's chat completions | the same |
 * | `anthropic:` | Anthropic's Messages API | `ANTHROPIC_API_KEY`, `ANTHROPIC_BASE_URL` |
 * | `google:` | Gemini | `GOOGLE_GENERATIVE_AI_API_KEY`, `GOOGLE_GENERATIVE_AI_BASE_URL` |
 * | `vertex:` | Gemini on Vertex | `GOOGLE_VERTEX_API_KEY`, or `GOOGLE_VERTEX_PROJECT` and `GOOGLE_VERTEX_LOCATION` |
 * | `ollama:` | a local Ollama, by its chat completions | `OLLAMA_BASE_URL`, `OLLAMA_HOST`, or neither |
 * | `compatible:` | chat completions of any other server | `OPENAI_COMPATIBLE_BASE_URL`, `OPENAI_COMPATIBLE_API_KEY` |
 */
export const publishedProviders: { readonly [name: string]: Published } = {
  openai,
  "openai.chat": { ...openai, flavour: "chat" },
  anthropic,
  google,
  vertex,
  ollama,
  compatible,
};

/** Undefined for one that is empty or blank, too. */
function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value.trim() === "" ? undefined : value;
}

const baseUrl = (url: string | undefined) => (url === undefined ? {} : { baseURL: url });

function keyed(provider: string, prefix: string): object {
  const apiKey = variable(`${prefix}_API_KEY`);
  if (apiKey === undefined) {
    throw new MissingKeyError(`the API key of ${provider} is not set`, {
      hint: `Set the environment variable ${prefix}_API_KEY, or use "offline:extract", which needs none (it is not an LLM).`,
    });
  }
  return { apiKey, ...baseUrl(variable(`${prefix}_BASE_URL`)) };
}

/** A key of its own, or a project of Google Cloud with the credentials of wherever this runs. */
function vertexAccess(): object {
  const apiKey = variable("GOOGLE_VERTEX_API_KEY");
  if (apiKey !== undefined) return { apiKey };
  const project = variable("GOOGLE_VERTEX_PROJECT");
  const location = variable("GOOGLE_VERTEX_LOCATION");
  if (project !== undefined && location !== undefined) return { project, location };
  throw new MissingKeyError("the access to Google Vertex is not set", {
    hint: "Set the environment variable GOOGLE_VERTEX_API_KEY, or GOOGLE_VERTEX_PROJECT and GOOGLE_VERTEX_LOCATION, which use the credentials of Google Cloud (GOOGLE_APPLICATION_CREDENTIALS).",
  });
}

/** Usage at the end of streams and JSON Schemas are asked for: without them there is no bill and no form. */
const compatibleSettings = (name: string, url: string, apiKey: string | undefined) => ({
  name,
  baseURL: url,
  ...(apiKey === undefined ? {} : { apiKey }),
  includeUsage: true,
  supportsStructuredOutputs: true,
});

function checkedUrl(url: string, variable: string): string {
  if (URL.canParse(url)) return url;
  throw new InvalidOptionError(`${variable} is "${url}", which is not a URL`, {
    hint: 'Write it as "http://127.0.0.1:8000/v1".',
  });
}

const ollamaPort = "11434";

/**
 * Where Ollama's chat completions are. OLLAMA_BASE_URL comes first; OLLAMA_HOST is read as Ollama itself reads it: a
 * host, a port, both, or a URL. May return what is no URL, when the variable holds none.
 */
export function ollamaUrl(environment: {
  readonly OLLAMA_BASE_URL?: string | undefined;
  readonly OLLAMA_HOST?: string | undefined;
}): string {
  const { OLLAMA_BASE_URL, OLLAMA_HOST = "" } = environment;
  const url = OLLAMA_BASE_URL?.trim() || hostUrl(OLLAMA_HOST.trim());
  if (!URL.canParse(url)) return url;
  const { origin, pathname } = new URL(url);
  // Ollama's address, or that of its own API, stands for the one beside it that speaks OpenAI's format.
  return ["/", "/api", "/api/"].includes(pathname) ? `${origin}/v1` : url;
}

function hostUrl(host: string): string {
  if (host.includes("://")) return host;
  const [, name = "", port = ollamaPort] = /^(\[.*\]|[^:]*)(?::(\d+))?\/*$/.exec(host) ?? ["", host];
  // A server that listens everywhere is reached at home.
  return `http://${["", "0.0.0.0", "[::]"].includes(name) ? "127.0.0.1" : name}:${port}`;
}

import { ClientError, type LetterFacts } from "./error.ts";

/** Where a server is, and who asks it. */
export interface ClientOptions {
  /** Of the server: `http://127.0.0.1:3583`. In a page of the server itself: `location.origin`. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`. Absent: the session of the browser, or none. */
  readonly token?: string;
  /** Instead of the global one. */
  readonly fetch?: typeof fetch;
}

export type Query = { readonly [name: string]: string | number | boolean | readonly string[] | undefined };

/** Requests as they go over the wire. */
export class Wire {
  readonly #base: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;

  constructor({ url, token, fetch: own }: ClientOptions) {
    this.#base = `${url.replace(/\/+$/, "")}/api/v1`;
    this.#token = token;
    this.#fetch = own ?? ((...request) => fetch(...request));
  }

  /** @throws ClientError */
  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const response = await this.open(path, query, {}, signal);
    return json<T>(response);
  }

  /** @throws ClientError */
  async post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    return json<T>(await this.#send(path, init, signal));
  }

  /** The answer itself, once it is no error. @throws ClientError */
  open(
    path: string,
    query: Query,
    headers: { readonly [name: string]: string },
    signal?: AbortSignal,
  ): Promise<Response> {
    const fields = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      const values: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
      for (const one of values) fields.append(name, String(one));
    }
    const search = fields.toString();
    return this.#send(search === "" ? path : `${path}?${search}`, { headers: { ...headers } }, signal);
  }

  async #send(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set("authorization", `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await this.#fetch(this.#base + path, { ...init, headers, ...(signal ? { signal } : {}) });
    } catch (error) {
      signal?.throwIfAborted();
      const hint = "See that the server runs and the address is right: flujo up, or flujo lens serve.";
      const message = `no answer from ${this.#base}`;
      throw new ClientError(0, { code: "unreachable", message, hint, retryable: true }, error);
    }
    if (response.ok) return response;
    throw new ClientError(response.status, await letterOf(response));
  }
}

async function json<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T; // as the server's document says, which its tests hold it to
  } catch (error) {
    throw new ClientError(response.status, unreadable(response), error);
  }
}

async function letterOf(response: Response): Promise<LetterFacts> {
  try {
    const { error } = (await response.json()) as { readonly error?: LetterFacts };
    return typeof error?.code === "string" ? error : unreadable(response);
  } catch {
    return unreadable(response);
  }
}

const unreadable = ({ url, status }: Response): LetterFacts => ({
  code: "unreadable",
  message: `the answer of ${url} (${status}) is not one of Flujo's`,
  hint: "Something else listens there, or a proxy answers in its place.",
  retryable: status >= 500,
});

/** What the server is asked. It stands on the same origin as the page. */

/** Why the server refused, in its words: what happened, and what to do next. */
export class Letter extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  /** Of the answer; 0 when there was none. */
  readonly status: number;

  constructor(status: number, code: string, message: string, hint?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** @throws Letter */
export const get = <T>(path: string, signal?: AbortSignal): Promise<T> =>
  ask<T>(path, signal === undefined ? {} : { signal });

/** @throws Letter */
export const post = <T>(path: string, body: object): Promise<T> =>
  ask<T>(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  const answer = await fetch(`/api/v1${path}`, init).catch((cause) => {
    if (init.signal?.aborted) throw cause;
    throw new Letter(
      0,
      "offline",
      "The server does not answer.",
      "Is `flujo up` or `flujo lens serve` still running?",
    );
  });
  const text = await answer.text();
  if (answer.ok) return (text === "" ? undefined : JSON.parse(text)) as T; // what the API's schemas say of this path
  if (answer.status === 401) location.assign("/login");
  throw letterIn(answer.status, text);
}

function letterIn(status: number, text: string): Letter {
  try {
    const { code, message, hint } = JSON.parse(text).error;
    return new Letter(status, code, message, hint);
  } catch {
    return new Letter(status, "unexpected", `The server answered with status ${status}.`);
  }
}

/** A path of the API, each part of it encoded. */
export const pathOf = (...parts: readonly string[]): string =>
  parts.map((part) => `/${encodeURIComponent(part)}`).join("");

/** `?a=1&b=2`, without what is undefined or empty. */
export function queryOf(fields: { readonly [name: string]: string | number | undefined }): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== "") query.set(name, String(value));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

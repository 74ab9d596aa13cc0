/** Restate over HTTP: its ingress, which calls queues, and its admin API, which knows where they are reckoned. */
import { DispatcherUnavailableError, FlujoError } from "../../core/errors.ts";
import { answers } from "./endpoint.ts";

export interface RestateAddress {
  readonly name: string;
  readonly ingress: URL;
  readonly admin: URL;
  readonly token: string | undefined;
  readonly service: string;
  /** How long it waits for an answer, in milliseconds. */
  readonly patienceMs: number;
}

/** A queue answers within milliseconds. After so many it is asked whether whoever reckons it is there. */
const slowMs = 1_000;
/** After so many milliseconds without an answer whoever reckons the queues is taken for dead, though it is there for other workers. */
const silentMs = 30_000;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** How long an answer takes by itself, and what ends the wait for it. */
interface Terms {
  readonly forMs?: number;
  readonly stop?: AbortSignal;
}

/** A deployment, as the admin API has it. */
interface Deployment {
  readonly id: string;
  readonly uri?: string;
  readonly services: readonly { readonly name: string }[];
}

export class RestateServer {
  readonly #address: RestateAddress;
  /** Where Restate reaches this process. Undefined: it only submits. */
  #own: string | undefined;
  #isClaimed = false;
  /** Where the queues were reckoned when it was last looked at. */
  #seen = "";
  /** When a queue answered last. */
  #heardAt = performance.now();

  constructor(address: RestateAddress) {
    this.#address = address;
  }

  /** From the next call on this process reckons the queues: Restate reaches it there. */
  offer(uri: string): void {
    this.#own = uri;
  }

  /**
   * Hands a message over; returns once Restate has it.
   *
   * @throws DispatcherUnavailableError
   */
  async send(queue: string, handler: string, message: unknown, delayMs = 0): Promise<void> {
    const delay = delayMs > 0 ? `?delay=${Math.ceil(delayMs)}ms` : "";
    await this.#use(() => this.#toQueue(queue, `${handler}/send${delay}`, message));
  }

  /**
   * Calls a handler, and returns what it gives. Where whoever reckons the queues does not answer, this process does from
   * now on.
   *
   * @throws DispatcherUnavailableError
   */
  call(queue: string, handler: string, message: unknown): Promise<unknown> {
    return this.#use(async () => {
      if (!this.#isClaimed) await this.#claim();
      const watch = setInterval(() => void this.#lookAfter().catch(() => {}), slowMs); // the call says what is wrong
      try {
        const answer = await this.#toQueue(queue, handler, message);
        this.#heardAt = performance.now();
        return answer;
      } finally {
        clearInterval(watch);
      }
    });
  }

  /**
   * Calls a handler that answers when something has come about, within so many milliseconds and those of its patience.
   *
   * @throws DispatcherUnavailableError
   */
  listen(
    queue: string,
    handler: string,
    message: unknown,
    forMs: number,
    stop: AbortSignal,
  ): Promise<unknown> {
    return this.#use(() => this.#toQueue(queue, handler, message, { forMs, stop }));
  }

  async #toQueue(queue: string, handler: string, message: unknown, how: Terms = {}): Promise<unknown> {
    const { ingress, service } = this.#address;
    const path = `${service}/${encodeURIComponent(queue)}/${handler}`;
    const first = await this.#ask(ingress, "POST", path, message, how);
    if (first.status !== 404) return bodyOf(first);
    if (this.#own === undefined) throw new Error("no worker has been there yet, who makes its queues");
    await this.#claim(); // somebody has removed them
    return bodyOf(await this.#ask(ingress, "POST", path, message, how));
  }

  /**
   * Restate has one address for the queues. When it is still the one it was at the last look, a call hangs, and nobody answers
   * there, whoever was there is taken for dead. Where somebody does, Restate has more to do than it can.
   */
  async #lookAfter(): Promise<void> {
    const { service } = this.#address;
    const now = (await this.#deployments()).map(({ uri }) => uri).join(" ");
    const isAsItWas = now === this.#seen;
    this.#seen = now;
    if (!isAsItWas) return;
    const isLong = performance.now() - this.#heardAt > silentMs;
    const areThere = await Promise.all(now.split(" ").map((uri) => answers(uri, service)));
    if (isLong || !areThere.every(Boolean)) await this.#claim();
  }

  /** The address of the queues becomes this process's. What hangs goes on here: Restate tries it again within a second. */
  async #claim(): Promise<void> {
    const { admin, name } = this.#address;
    const uri = this.#own;
    if (uri === undefined) return;
    const known = await this.#deployments();
    const asked =
      known.length === 0
        ? [this.#ask(admin, "POST", "deployments", { uri })]
        : known.map(({ id }) => this.#ask(admin, "PATCH", `deployments/${id}`, { uri, overwrite: true }));
    for (const { status, body } of await Promise.all(asked)) {
      if (status < 400) continue;
      throw new DispatcherUnavailableError(`${name} does not reach this worker at ${uri}: ${wordsIn(body)}`, {
        retryable: true,
        hint: "Say where it listens, and where Restate finds it: listen=0.0.0.0:9080&at=http://HOST:9080",
      });
    }
    this.#isClaimed = true;
    this.#heardAt = performance.now();
    this.#seen = (await this.#deployments()).map((one) => one.uri).join(" ");
  }

  /** Those of the queues. There is one, unless two workers were the first at once. */
  async #deployments(): Promise<readonly Deployment[]> {
    const { admin, service } = this.#address;
    const found = bodyOf(await this.#ask(admin, "GET", "deployments"));
    const { deployments } = found as { readonly deployments: readonly Deployment[] }; // so the admin API has it
    return deployments.filter(({ services }) => services.some(({ name }) => name === service));
  }

  async #ask(
    base: URL,
    method: string,
    path: string,
    message?: unknown,
    { forMs = 0, stop }: Terms = {},
  ): Promise<Answer> {
    const { token, patienceMs } = this.#address;
    const late = AbortSignal.timeout(forMs + patienceMs);
    const answer = await fetch(new URL(path, base), {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(message === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(message === undefined ? {} : { body: JSON.stringify(message) }),
      signal: stop === undefined ? late : AbortSignal.any([late, stop]),
    });
    const text = await answer.text();
    return { status: answer.status, body: parsed(text) };
  }

  /** @throws DispatcherUnavailableError */
  async #use<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (FlujoError.isInstance(error)) throw error;
      const words =
        error instanceof Error && error.name === "TimeoutError" ? "it does not answer" : told(error);
      throw new DispatcherUnavailableError(`${this.#address.name} cannot be reached: ${words}`, {
        cause: error,
        retryable: true,
      });
    }
  }
}

/** @throws Error with what Restate says, where it refuses. */
function bodyOf({ status, body }: Answer): unknown {
  if (status >= 400) throw new Error(`it says ${status}: ${wordsIn(body)}`);
  return body;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // a proxy's words, or nothing
  }
}

const wordsIn = (body: unknown): string =>
  typeof body === "object" && body !== null && "message" in body ? String(body.message) : String(body);

/** `fetch` says what is wrong in the cause of its error. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error.cause instanceof Error && error.cause.message) || error.message;
}

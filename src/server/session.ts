/**
 * Sessions of browsers: a token is shown once, and a cookie stands for it from then on. The cookie names the token and
 * the moment it ends, and is signed: nothing is kept of it, and every server of the store takes it. It ends early when
 * its token is changed or taken away.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Store } from "../ports/store.ts";
import { storeKey } from "../ports/store-key.ts";
import type { Caller } from "./caller.ts";
import type { Tokens } from "./tokens.ts";

export const sessionMs = 7 * 24 * 3_600_000;

export const cookieName = "flujo-session";

/** Where the store keeps what sessions are signed with. */
const noteKey = "server/session-key";

export class Sessions {
  readonly #store: Store;
  readonly #tokens: Tokens;
  #key: string | undefined;

  constructor(store: Store, tokens: Tokens) {
    this.#store = store;
    this.#tokens = tokens;
  }

  /** The cookie's value for whoever has shown the token of this name. */
  async open(name: string, now: number): Promise<string> {
    const until = now + sessionMs;
    return `${name}~${until}~${(await this.#sign(name, until)).toString("base64url")}`;
  }

  /** Whose session it is; undefined when it is over, or was not made by a server of this store. */
  async callerIn(cookie: string, now: number): Promise<Caller | undefined> {
    const [name = "", until = "", mac = ""] = cookie.split("~");
    const caller = this.#tokens.named(name)?.caller;
    if (caller === undefined || !/^\d{1,15}$/.test(until) || Number(until) <= now) return undefined;
    const expected = await this.#sign(name, Number(until));
    const given = Buffer.from(mac, "base64url");
    return given.length === expected.length && timingSafeEqual(given, expected) ? caller : undefined;
  }

  async #sign(name: string, until: number): Promise<Buffer> {
    this.#key ??= await storeKey(this.#store, noteKey);
    const token = this.#tokens.named(name)?.hash.toString("hex");
    return createHmac("sha256", this.#key).update(`session ${name} ${until} ${token}`).digest();
  }
}

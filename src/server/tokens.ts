import { createHash, timingSafeEqual } from "node:crypto";
import { InvalidOptionError } from "../core/errors.ts";
import type { Caller } from "./caller.ts";
import { type Role, roles } from "./roles.ts";

/** Who may do what, by the token they show. */
export interface TokenOptions {
  /** Letters, digits, `.`, `_`, `-`; at most 64. Recorded as who answered, and shown to the others. */
  readonly name: string;
  readonly role: Role;
  /** The token itself: at least 16 characters. */
  readonly token?: string;
  /** Or its SHA-256 in hex, so that the file it stands in is no secret: `printf %s "$TOKEN" | sha256sum`. */
  readonly tokenHash?: string;
}

/** A token as it is kept. */
export interface Known {
  readonly caller: Caller;
  readonly hash: Buffer;
}

const shortest = 16;

/** The tokens of a server, kept as hashes. */
export class Tokens {
  readonly #known: readonly Known[];

  /** @throws InvalidOptionError for a token that is none, is too short, or has the name of another. */
  constructor(options: readonly TokenOptions[]) {
    this.#known = options.map(known);
    const names = options.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new InvalidOptionError(`two tokens of the server are named ${twice}`);
  }

  get isEmpty(): boolean {
    return this.#known.length === 0;
  }

  /** Whose token it is. Takes the same time for every token that is nobody's. */
  find(token: string): Caller | undefined {
    const hash = sha256(token);
    let found: Caller | undefined;
    for (const known of this.#known) if (timingSafeEqual(known.hash, hash)) found ??= known.caller;
    return found;
  }

  /** The token of a name. */
  named(name: string): Known | undefined {
    return this.#known.find(({ caller }) => caller.name === name);
  }
}

function known({ name, role, token, tokenHash }: TokenOptions): Known {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new InvalidOptionError(`${JSON.stringify(name)} is no name of a token`, {
      hint: "Use 1 to 64 letters, digits, dots, dashes and underscores.",
    });
  }
  if (!roles.includes(role)) {
    throw new InvalidOptionError(`the token ${name} has the role ${JSON.stringify(role)}`, {
      hint: `Write one of ${roles.join(", ")}.`,
    });
  }
  return { caller: { name, role }, hash: hashOf(name, token, tokenHash) };
}

function hashOf(name: string, token: string | undefined, tokenHash: string | undefined): Buffer {
  if (token !== undefined && tokenHash === undefined) {
    if (token.length >= shortest && /^[\x21-\x7e]+$/.test(token)) return sha256(token);
    throw new InvalidOptionError(`the token ${name} can be guessed, or not be sent`, {
      hint: `Use at least ${shortest} printable characters without spaces: openssl rand -hex 32`,
    });
  }
  if (tokenHash !== undefined && token === undefined && /^[0-9a-f]{64}$/i.test(tokenHash))
    return Buffer.from(tokenHash, "hex");
  throw new InvalidOptionError(`the token ${name} needs either token or tokenHash, a SHA-256 in hex`, {
    hint: `printf %s "$TOKEN" | sha256sum`,
  });
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

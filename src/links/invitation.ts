/** What an answer link carries, signed: leave to answer one question, once. */
import { decode, encode } from "../core/codec.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";

/** Leave to answer one question. */
export interface Invitation {
  readonly runId: string;
  readonly path: Path;
  /** The entry that asked: what is asked at that path later is another question. */
  readonly of: number;
  /** Who answers by it. Absent: whoever has it. */
  readonly by?: string;
  /** The answer, where the link is one. Absent: they choose. */
  readonly answer?: { readonly value: unknown };
  /** When it ends, in milliseconds since 1970; kept by the second. */
  readonly until: number;
}

/** What a token turned out to be. */
export type Opened =
  | { readonly is: "valid" | "expired"; readonly invitation: Invitation }
  /** Not signed by any of the secrets, or no invitation at all. */
  | { readonly is: "forged" };

/** Tells these tokens from others that may be signed with the same secret. */
const typ = "flujo-answer";
const algorithm = "HS256";

/** Signs an invitation: a JSON Web Token, fit for a URL. */
export async function sealed(invitation: Invitation, secret: string): Promise<string> {
  const { SignJWT } = await import("jose");
  const { runId: run, path, of, by, answer, until } = invitation;
  const claims = {
    run,
    path,
    of,
    ...(by === undefined ? {} : { by }),
    ...(answer === undefined ? {} : { answer: encode(answer.value, "the answer of a link", path).json }),
  };
  const token = new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ });
  return token.setExpirationTime(Math.floor(until / 1_000)).sign(keyOf(secret));
}

/**
 * Opens a token.
 *
 * @param secrets any of them may have signed it.
 * @param now milliseconds since 1970.
 */
export async function opened(token: string, secrets: readonly string[], now: number): Promise<Opened> {
  const { errors, jwtVerify } = await import("jose");
  const terms = { algorithms: [algorithm], typ, requiredClaims: ["exp"], currentDate: new Date(now) };
  for (const secret of secrets) {
    try {
      const { payload } = await jwtVerify(token, keyOf(secret), terms);
      return { is: "valid", invitation: invitationIn(payload as unknown as Claims) }; // `sealed` has made it
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        return { is: "expired", invitation: invitationIn(error.payload as unknown as Claims) }; // as above
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return { is: "forged" };
}

interface Claims {
  readonly run: string;
  readonly path: Path;
  readonly of: number;
  readonly by?: string;
  readonly answer?: Json;
  readonly exp: number;
}

const invitationIn = ({ run: runId, path, of, by, answer, exp }: Claims): Invitation => ({
  runId,
  path,
  of,
  ...(by === undefined ? {} : { by }),
  ...(answer === undefined ? {} : { answer: { value: decode(answer) } }),
  until: exp * 1_000,
});

const keyOf = (secret: string): Uint8Array => new TextEncoder().encode(secret);

import { InvalidOptionError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import { storeKey } from "../ports/store-key.ts";

/** One secret, or several: the first signs, and links that any of them has signed are taken. */
export type Secret = string | readonly string[];

/** Where the store keeps the secret, when nobody gives one. */
const noteKey = "links/secret";
const leastLength = 32;

/** The secret of an environment: FLUJO_SECRET. */
export const secretOf = (env: { readonly [name: string]: string | undefined }): string | undefined =>
  env.FLUJO_SECRET || undefined;

/** @throws InvalidOptionError for a secret that could be guessed. */
export function checkedSecrets(given: Secret): readonly string[] {
  const secrets = [given].flat();
  if (secrets.length > 0 && secrets.every((secret) => secret.length >= leastLength)) return secrets;
  throw new InvalidOptionError(
    `a secret of answer links has less than ${leastLength} characters, or there is none`,
    {
      hint: `Make one: node -e "console.log(crypto.randomBytes(32).toString('base64url'))", and set it as FLUJO_SECRET.`,
    },
  );
}

/** The store's own secret. */
export const storeSecret = (store: Store): Promise<string> => storeKey(store, noteKey);

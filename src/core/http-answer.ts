/** What the answer of an HTTP receiver says about trying again. */

/** The longest a receiver may ask us to wait: a day. */
const longestMs = 86_400_000;

/**
 * `Retry-After`, in milliseconds: seconds, or a date. Undefined when there is none that can be read.
 *
 * @param now milliseconds since 1970.
 */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(longestMs, Math.max(0, ms));
}

/** Why a request got no answer, without its address: that may hold a secret. */
export function noAnswer(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code; // Node's errors have one
  return typeof code === "string" && /^[A-Z0-9_]{1,40}$/.test(code) ? code : "the connection failed";
}

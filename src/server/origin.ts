/**
 * From where a request may come. A page of another site can make a browser send requests here, with the cookie of
 * whoever is logged in, or from the machine on which everybody is trusted. These rules keep such requests out.
 */
import { Refusal } from "./letter.ts";

export interface Origins {
  /** Where browsers reach the server: `https://flujo.example.com`. */
  readonly publicUrl?: string | undefined;
  /** Pages of other origins that may call the API with a token. */
  readonly allowed: readonly string[];
}

/** Names that mean this machine, also when somebody else's name server is asked for them. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return (
    name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name) || name === "::ffff:127.0.0.1"
  );
}

/** The name in a `Host` header, without its port. */
const nameIn = (host: string): string => host.replace(/:\d+$/, "");

/**
 * Where no tokens are configured, whoever reaches the server may do everything. So it must have been addressed by a name
 * of this machine: a page whose own name was made to point here (DNS rebinding) says its own; and not through a proxy,
 * which would make the world look local.
 *
 * @throws Refusal
 */
export function refuseStrangers(headers: Headers): void {
  const host = headers.get("host") ?? "";
  if (!isLoopback(nameIn(host))) {
    throw new Refusal(
      403,
      "wrong-host",
      `this server has no tokens, and takes only what is addressed to this machine, not to ${JSON.stringify(host)}`,
      "Use http://127.0.0.1 or http://localhost with its port; or configure tokens.",
    );
  }
  const proxied = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"].find((name) =>
    headers.has(name),
  );
  if (proxied === undefined) return;
  throw new Refusal(
    403,
    "behind-proxy",
    `this server has no tokens, and the request came through a proxy (${proxied})`,
    "Configure tokens: server: { tokens: [ … ] } in flujo.config.ts, or FLUJO_TOKEN.",
  );
}

/**
 * Refuses what a browser sends on behalf of a page of another origin. Programs that are no browser say nothing of this
 * kind, and pass.
 *
 * @param withToken the request shows a token in a header, which a page can do only on purpose: allowed origins may.
 * @throws Refusal
 */
export function refuseOtherOrigins(headers: Headers, origins: Origins, withToken: boolean): void {
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  if (origin !== null && withToken && origins.allowed.includes(origin)) return;
  if (site === "same-origin" || site === "none") return;
  if (site === null && (origin === null || isOwn(origin, headers.get("host"), origins.publicUrl))) return;
  throw new Refusal(
    403,
    "other-origin",
    `the request comes from a page of another origin${origin === null ? "" : `: ${JSON.stringify(origin)}`}`,
    "Name the origin in server: { origins: [ … ] } of flujo.config.ts, and send a token in the Authorization header.",
  );
}

function isOwn(origin: string, host: string | null, publicUrl: string | undefined): boolean {
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return true;
  return host !== null && (origin === `http://${host}` || origin === `https://${host}`);
}

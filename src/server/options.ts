import type { Rate } from "./buckets.ts";
import type { TokenOptions } from "./tokens.ts";

/** The `server` of a `flujo.config.ts`. */
export interface ServerOptions {
  /** Where it listens. Default `"127.0.0.1"`: this machine alone. Another address takes tokens. */
  readonly host?: string;
  /** Default 3583. 0: any that is free. */
  readonly port?: number;
  /** Where browsers reach it, when that is another address: `"https://flujo.example.com"`. */
  readonly publicUrl?: string;
  /** Origins whose pages may call the API, with a token: `["https://intranet.example.com"]`. Default none. */
  readonly origins?: readonly string[];
  /** Who may do what. Default: none, and whoever is on this machine may do everything. `FLUJO_TOKEN` adds an admin. */
  readonly tokens?: readonly TokenOptions[];
  readonly limits?: ServerLimits;
}

export interface ServerLimits {
  /** The largest body of a request, in bytes. Default 1,000,000. */
  readonly bodyBytes?: number;
  /** For each token, or each address where there is none. Default 50 a second, 200 at once. */
  readonly rate?: Rate;
  /** Connections that follow events, all callers together. Default 200. */
  readonly streams?: number;
}

export const defaultPort = 3583;
export const defaultBodyBytes = 1_000_000;
export const defaultRate: Rate = { perSecond: 50, burst: 200 };
export const defaultStreams = 200;

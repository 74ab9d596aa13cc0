/** The whole server, as an app that takes requests: who is let in where, what holds for every request, and its parts. */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { InvalidOptionError } from "../core/errors.ts";
import { addressOf, bearerIn, type Door, needs } from "./access.ts";
import { api, apiBase } from "./api.ts";
import { Buckets } from "./buckets.ts";
import type { Admitted } from "./caller.ts";
import { safeHeaders } from "./headers.ts";
import { houseOf } from "./house.ts";
import { letterOf, Refusal, statusOf } from "./letter.ts";
import { login } from "./login.ts";
import { defaultBodyBytes, defaultRate, type ServerOptions } from "./options.ts";
import type { ServerParts } from "./parts.ts";
import { Sessions } from "./session.ts";
import { Tokens } from "./tokens.ts";

/** A server that is not listening yet. */
export interface ServerApp {
  readonly hono: Hono<Admitted>;
  readonly options: ServerOptions;
  /** Whether nobody comes in without a token, or there is nothing to be done inside. */
  readonly guarded: boolean;
  /** Ends what would go on for ever: connections that follow events. */
  end(): void;
}

/**
 * Makes a server of its parts.
 *
 * @throws InvalidOptionError for tokens, origins or a public URL that are none.
 */
export function serverApp(parts: ServerParts): ServerApp {
  const { store, world, options = {}, mounts = [], onError = tell } = parts;
  const tokens = new Tokens(options.tokens ?? []);
  const origins = { publicUrl: urlIn(options.publicUrl), allowed: (options.origins ?? []).map(originIn) };
  const door: Door = { tokens, sessions: new Sessions(store, tokens), origins, world };
  const hono = new Hono<Admitted>();

  hono.onError((error, c) => {
    const status = statusOf(error);
    if (status === 500) onError(error);
    if (status === 401) c.header("WWW-Authenticate", 'Bearer realm="flujo"');
    return c.json(letterOf(error), status);
  });
  hono.notFound((c) => c.json(letterOf(new Refusal(404, "not-found", `there is no ${c.req.path}`)), 404));

  hono.use(safeHeaders(origins.publicUrl?.startsWith("https:") ?? false));
  const buckets = new Buckets(options.limits?.rate ?? defaultRate, world);
  hono.use(async (c, next) => {
    const token = bearerIn(c.req.raw.headers);
    const who = (token && tokens.find(token)?.name) ?? `address ${addressOf(c)}`;
    const waitMs = buckets.take(who);
    if (waitMs > 0) {
      c.header("Retry-After", String(Math.ceil(waitMs / 1_000)));
      throw new Refusal(429, "too-many-requests", "too many requests", `Again in ${waitMs} ms.`);
    }
    await next();
  });
  const maxSize = options.limits?.bodyBytes ?? defaultBodyBytes;
  hono.use(
    bodyLimit({
      maxSize,
      onError: () => {
        throw new Refusal(413, "too-large", `the body of the request has more than ${maxSize} bytes`);
      },
    }),
  );
  if (origins.allowed.length > 0) {
    hono.use(
      cors({
        origin: [...origins.allowed],
        allowHeaders: ["Authorization", "Content-Type", "Last-Event-ID"],
        allowMethods: ["GET", "POST"],
        exposeHeaders: ["Location", "Retry-After"],
        maxAge: 600,
      }),
    );
  }

  for (const { at, app, role } of mounts) {
    if (role !== undefined) {
      hono.use(at, needs(role, door));
      hono.use(`${at}/*`, needs(role, door));
    }
    hono.route(at, app);
  }
  if (!tokens.isEmpty) hono.route("/", login(door));

  const house = houseOf(parts);
  const { hasApi = true } = parts;
  if (hasApi) hono.route(apiBase, api(house, door));
  if (parts.pages !== undefined) hono.route("/", parts.pages);

  return { hono, options, guarded: !tokens.isEmpty || !hasApi, end: () => house.streams.end() };
}

/** @throws InvalidOptionError */
function urlIn(publicUrl: string | undefined): string | undefined {
  if (publicUrl === undefined) return undefined;
  if (/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? "")) return publicUrl;
  throw new InvalidOptionError(`publicUrl is ${JSON.stringify(publicUrl)}, which is no URL of a server`, {
    hint: 'Write it whole: "https://flujo.example.com"',
  });
}

/** @throws InvalidOptionError */
function originIn(text: string): string {
  if (URL.parse(text)?.origin === text) return text;
  throw new InvalidOptionError(`${JSON.stringify(text)} is no origin of a page`, {
    hint: 'Write scheme, host and port, and nothing after them: "https://intranet.example.com"',
  });
}

const tell = (error: unknown): void => console.error("the server failed at a request:", error);

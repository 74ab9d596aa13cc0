/** Who is let in. */
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import type { World } from "../ports/world.ts";
import type { Admitted, Caller } from "./caller.ts";
import { Refusal } from "./letter.ts";
import { type Origins, refuseOtherOrigins, refuseStrangers } from "./origin.ts";
import { allows, type Role } from "./roles.ts";
import { cookieName, type Sessions } from "./session.ts";
import type { Tokens } from "./tokens.ts";

/** Whoever is on this machine, where no tokens are configured. */
const local: Caller = { name: undefined, role: "admin" };

export interface Door {
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly origins: Origins;
  readonly world: World;
}

/** Lets in who may do what a role may; notes who it is. */
export function needs(role: Role, door: Door): MiddlewareHandler<Admitted> {
  return async (c, next) => {
    const caller = await admit(c, door);
    if (!allows(caller.role, role)) throw tooLittle(caller, role);
    c.set("caller", caller);
    await next();
  };
}

/** @throws Refusal for whoever shows nothing, or comes from elsewhere. */
async function admit(c: Context, { tokens, sessions, origins, world }: Door): Promise<Caller> {
  const { headers } = c.req.raw;
  if (tokens.isEmpty) {
    refuseStrangers(headers);
    refuseOtherOrigins(headers, origins, false);
    return local;
  }
  const bearer = bearerIn(headers);
  if (bearer !== undefined) {
    refuseOtherOrigins(headers, origins, true);
    const caller = tokens.find(bearer);
    if (caller === undefined) throw unknown("nobody has this token");
    return caller;
  }
  const cookie = getCookie(c, cookieName);
  if (cookie === undefined) throw unknown("a token is needed");
  refuseOtherOrigins(headers, origins, false);
  const caller = await sessions.callerIn(cookie, world.now());
  if (caller === undefined) throw unknown("the session is over");
  return caller;
}

/** The token of `Authorization: Bearer …`. */
export function bearerIn(headers: Headers): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(headers.get("authorization") ?? "")?.[1];
}

const unknown = (why: string): Refusal =>
  new Refusal(401, "no-token", why, "Send it as Authorization: Bearer TOKEN; a browser logs in at /login.");

function tooLittle({ name, role }: Caller, needed: Role): Refusal {
  return new Refusal(
    403,
    "not-allowed",
    `the token ${name} is that of a ${role}, and this takes ${needed === "admin" ? "an admin" : `an ${needed}`}`,
    "Ask whoever runs the server for another token.",
  );
}

/** Who asks, before anybody is let in: for limits. */
export function addressOf(c: Context): string {
  try {
    return getConnInfo(c).remote.address ?? "unknown";
  } catch {
    return "unknown"; // not by a socket: the app was called by itself
  }
}

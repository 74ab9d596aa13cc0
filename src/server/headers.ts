import type { MiddlewareHandler } from "hono";

const policy = {
  "default-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self'",
  "img-src": "'self' data:",
  "font-src": "'self'",
  "connect-src": "'self'",
  "form-action": "'self'",
  "base-uri": "'none'",
  "frame-ancestors": "'none'",
};

const always: { readonly [name: string]: string } = {
  "Content-Security-Policy": Object.entries(policy)
    .map((words) => words.join(" "))
    .join("; "),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/**
 * What every answer tells a browser: run nothing but the server's own scripts, show it in no frame, guess no types, tell
 * nobody where you come from. Set before the answer is made, so that a part of the server may say another thing.
 *
 * @param https whether browsers reach the server by https, and by nothing else from then on.
 */
export function safeHeaders(https: boolean): MiddlewareHandler {
  return async (c, next) => {
    for (const [name, value] of Object.entries(always)) c.header(name, value);
    if (https) c.header("Strict-Transport-Security", "max-age=31536000");
    await next();
  };
}

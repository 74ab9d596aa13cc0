/** How a browser comes in: a token is exchanged for a session. Plain HTML, no script. */
import { Hono } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import { html } from "hono/html";
import { bearerIn, type Door } from "./access.ts";
import { Refusal } from "./letter.ts";
import { refuseOtherOrigins } from "./origin.ts";
import { cookieName, sessionMs } from "./session.ts";

/** `GET /login`, `POST /login`, `POST /logout` */
export function login({ tokens, sessions, origins, world }: Door): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    c.header("Cache-Control", "no-store");
    // Under no-referrer a browser would say that the form comes from nowhere.
    c.header("Referrer-Policy", "same-origin");
    await next();
  });

  app.get("/login", (c) => c.html(page("")));

  app.post("/login", async (c) => {
    refuseOtherOrigins(c.req.raw.headers, origins, bearerIn(c.req.raw.headers) !== undefined);
    const { token } = await c.req.parseBody().catch(() => ({ token: undefined })); // what is no form holds no token
    const caller = typeof token === "string" ? tokens.find(token.trim()) : undefined;
    if (caller?.name === undefined) return c.html(page("Nobody has this token."), 401);
    setCookie(c, cookieName, await sessions.open(caller.name, world.now()), {
      httpOnly: true,
      sameSite: "Strict",
      secure: origins.publicUrl?.startsWith("https:") ?? false,
      path: "/",
      maxAge: sessionMs / 1_000,
    });
    return c.redirect("/", 303);
  });

  app.post("/logout", (c) => {
    refuseOtherOrigins(c.req.raw.headers, origins, false);
    deleteCookie(c, cookieName, { path: "/" });
    return c.redirect("/login", 303);
  });

  app.all("/login", () => {
    throw new Refusal(405, "wrong-method", "a token is shown by POST /login");
  });
  return app;
}

const page = (complaint: string) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Flujo: log in</title>
</head>
<body>
<main>
<h1>Flujo</h1>
<form method="post" action="/login">
<p role="alert">${complaint}</p>
<p><label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label></p>
<p><button>Log in</button></p>
</form>
</main>
</body>
</html>`;

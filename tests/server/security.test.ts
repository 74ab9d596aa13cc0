import { createHash } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import { pipeline, step } from "flujo";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { nodeWorld } from "../../src/node-world.ts";
import { serverApp } from "../../src/server/app.ts";
import type { Role } from "../../src/server/roles.ts";
import type { TokenOptions } from "../../src/server/tokens.ts";
import { memory } from "../../src/stores/memory.ts";
import { gate, type Stage, stage, viewsOfRun } from "./stage.ts";

const api = "/api/v1";
const secret = (role: Role): string => `the-secret-token-of-a-${role}`;
const tokens: readonly TokenOptions[] = [
  { name: "eyes", role: "viewer", token: secret("viewer") },
  { name: "hands", role: "operator", token: secret("operator") },
  { name: "boss", role: "admin", tokenHash: createHash("sha256").update(secret("admin")).digest("hex") },
];
const as = (role: Role) => ({ authorization: `Bearer ${secret(role)}` });

/** A request in which every header can be said, as a browser, a proxy or an attacker says it. */
function raw(
  url: string,
  { method = "GET", headers = {}, body = "" }: { method?: string; headers?: object; body?: string } = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: { ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** Every route of the document: method, path with its parameters filled in, and the role it takes. */
async function routes(): Promise<{ method: string; path: string; role: Role }[]> {
  const { hono } = serverApp({ store: memory(), world: nodeWorld() });
  const response = await hono.request(`${api}/openapi.json`, { headers: { host: "localhost" } });
  const { paths } = (await response.json()) as {
    paths: Record<string, Record<string, { description: string }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, "x"),
      role: /role (\w+)/.exec(description)?.[1] as Role,
    })),
  );
}

describe("with tokens", () => {
  test("no route lets in who shows none, a wrong one, or one of a lesser role", async () => {
    const { url } = await stage({
      options: { tokens, limits: { rate: { perSecond: 1_000, burst: 1_000 } } },
    });
    const all = await routes();
    expect(new Set(all.map(({ role }) => role))).toEqual(new Set(["viewer", "operator", "admin"]));
    for (const { method, path, role } of all) {
      const status = async (headers: object): Promise<number> =>
        (await raw(url + path, { method, headers: { "content-type": "application/json", ...headers } }))
          .status;
      const what = `${method} ${path}`;
      expect(await status({}), what).toBe(401);
      expect(await status({ authorization: "Bearer nobody's-token-at-all" }), what).toBe(401);
      expect(await status({ authorization: `Basic ${btoa(`eyes:${secret("viewer")}`)}` }), what).toBe(401);
      expect(await status({ cookie: "flujo-session=boss~9999999999999~AAAA" }), what).toBe(401);
      if (role !== "viewer") expect(await status(as("viewer")), what).toBe(403);
      if (role === "admin") expect(await status(as("operator")), what).toBe(403);
    }
  });

  test("each role may do what is its own, and what those below it may", async () => {
    const { get, post } = await stage({ options: { tokens } });
    for (const role of ["viewer", "operator", "admin"] as const) {
      expect((await get(`${api}/runs`, as(role))).status).toBe(200);
    }
    const run = { pipeline: "hello", input: "x" };
    expect((await post(`${api}/runs`, run, as("viewer"))).body.error).toMatchObject({
      code: "not-allowed",
      message: "the token eyes is that of a viewer, and this takes an operator",
    });
    for (const role of ["operator", "admin"] as const) {
      expect((await post(`${api}/runs`, run, as(role))).status).toBe(202);
    }
    expect((await post(`${api}/outbox/x/drop`, {}, as("admin"))).body.error.code).toBe("unknown-letter");
  });

  test("two of one name are refused before anything listens", async () => {
    const twice = [...tokens, { name: "eyes", role: "admin", token: secret("admin") }] as const;
    await expect(stage({ options: { tokens: twice } })).rejects.toThrow(
      "two tokens of the server are named eyes",
    );
  });

  test("who answers is recorded by the token, whoever they say they are", async () => {
    const { get, post } = await stage({ options: { tokens } });
    await post(`${api}/runs`, { pipeline: "asking", runId: "r" }, as("operator"));
    await get(`${api}/runs/r/events`, as("operator"));
    const answer = { path: "/asking/approve", data: { approved: true }, by: "the boss" };
    await post(`${api}/runs/r/signals`, answer, as("operator"));
    await get(`${api}/runs/r/events`, as("operator"));
    const { body } = await get(`${api}/runs/r/operation?path=/asking/approve`, as("viewer"));
    expect(body.notes).toContain("the boss (token hands) sent it.");
  });

  test.each([
    [{ name: "a", role: "admin", token: "short" }, "can be guessed"],
    [{ name: "a", role: "admin", token: "has spaces in between" }, "can be guessed, or not be sent"],
    [{ name: "a", role: "admin" }, "needs either token or tokenHash"],
    [{ name: "a", role: "admin", tokenHash: "abc" }, "needs either token or tokenHash"],
    [{ name: "a", role: "root", token: secret("admin") }, "has the role"],
    [{ name: "a b", role: "admin", token: secret("admin") }, "is no name of a token"],
  ])("%j is refused before anything listens", async (token, why) => {
    await expect(stage({ options: { tokens: [token as TokenOptions] } })).rejects.toThrow(why);
  });
});

describe("pages of other origins", () => {
  const foreign = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "http://localhost:3000" },
  ];

  test.each(foreign)("%j: no route answers, with tokens or without", async (headers) => {
    const open = await stage();
    const closed = await stage({ options: { tokens } });
    for (const { method, path } of await routes()) {
      const json = { "content-type": "application/json" };
      const first = await raw(open.url + path, { method, headers: { ...json, ...headers } });
      expect([first.status, JSON.parse(first.text).error.code], path).toEqual([403, "other-origin"]);
      const second = await raw(closed.url + path, {
        method,
        headers: { ...json, ...headers, ...as("admin") },
      });
      expect(second.status, path).toBe(403);
      expect(second.headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  test("the server's own pages are answered, and the programs that are no browser", async () => {
    const { url } = await stage();
    for (const headers of [
      {},
      { origin: url },
      { origin: url, "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
    ]) {
      expect((await raw(`${url}${api}/runs`, { headers })).status).toBe(200);
    }
  });

  test("an origin that is named may come, with a token, and no other", async () => {
    const origin = "https://intranet.example.com";
    const { url } = await stage({ options: { tokens, origins: [origin] } });
    const preflight = await raw(`${url}${api}/runs`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "sec-fetch-site": "cross-site" },
    });
    expect(preflight.headers["access-control-allow-origin"]).toBe(origin);
    expect(preflight.headers["access-control-allow-credentials"]).toBeUndefined();
    const site = { origin, "sec-fetch-site": "cross-site" };
    expect((await raw(`${url}${api}/runs`, { headers: { ...site, ...as("viewer") } })).status).toBe(200);
    expect((await raw(`${url}${api}/runs`, { headers: site })).status).toBe(401);
    const evil = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    const refused = await raw(`${url}${api}/runs`, { headers: { ...evil, ...as("viewer") } });
    expect([refused.status, refused.headers["access-control-allow-origin"]]).toEqual([403, undefined]);
  });

  test("a form cannot write: what is not said to be JSON is refused", async () => {
    const { url, get } = await stage();
    const body = JSON.stringify({ pipeline: "hello", input: "x", runId: "r" });
    for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "text/json"]) {
      const headers = type === undefined ? {} : { "content-type": type };
      expect((await raw(`${url}${api}/runs`, { method: "POST", headers, body })).status).toBe(415);
    }
    expect((await get(`${api}/runs/r`)).status).toBe(404);
  });
});

describe("without tokens", () => {
  test("only what is addressed to this machine is answered: no name that was made to point here", async () => {
    const { url } = await stage();
    const { port } = new URL(url);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, "LOCALHOST"]) {
      expect((await raw(`${url}${api}/runs`, { headers: { host } })).status, host).toBe(200);
    }
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "0.0.0.0",
    ]) {
      const { status, text } = await raw(`${url}${api}/runs`, {
        headers: { host, origin: `http://${host}` },
      });
      expect([status, JSON.parse(text).error.code], host).toEqual([403, "wrong-host"]);
    }
  });

  test.each(["x-forwarded-for", "forwarded", "x-real-ip"])(
    "what came through a proxy (%s) is refused",
    async (name) => {
      const { url } = await stage();
      const { status, text } = await raw(`${url}${api}/runs`, { headers: { [name]: "203.0.113.7" } });
      expect([status, JSON.parse(text).error.code]).toEqual([403, "behind-proxy"]);
    },
  );
});

describe("a session of a browser", () => {
  const login = (url: string, token: string, headers: object = {}) =>
    raw(`${url}/login`, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "sec-fetch-site": "same-origin",
        ...headers,
      },
      body: new URLSearchParams({ token }).toString(),
    });
  const cookieIn = ({ headers }: { headers: IncomingHttpHeaders }): string =>
    headers["set-cookie"]?.[0]?.split(";")[0] ?? "";

  test("begins with a token, and may do what the token may", async () => {
    const { url } = await stage({ options: { tokens } });
    const entered = await login(url, secret("viewer"));
    expect([entered.status, entered.headers["set-cookie"]?.[0]]).toEqual([
      303,
      expect.stringMatching(/^flujo-session=eyes~.*; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    expect(JSON.stringify(entered.headers)).not.toContain(secret("viewer"));
    const cookie = cookieIn(entered);
    const browser = { cookie, "sec-fetch-site": "same-origin" };
    expect((await raw(`${url}${api}/runs`, { headers: browser })).status).toBe(200);
    const start = { method: "POST", headers: { ...browser, "content-type": "application/json" }, body: "{}" };
    expect((await raw(`${url}${api}/runs`, start)).status).toBe(403);
    const evil = { cookie, "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    expect((await raw(`${url}${api}/runs`, { headers: evil })).status).toBe(403);
  });

  test("does not begin with a wrong token, or from another origin; the page tells no secrets and runs no script", async () => {
    const { url } = await stage({ options: { tokens } });
    const wrong = await login(url, "<script>alert(1)</script>-a-wrong-token");
    expect([wrong.status, wrong.headers["set-cookie"]]).toEqual([401, undefined]);
    expect(wrong.text).not.toContain("<script");
    expect(wrong.headers["content-security-policy"]).toContain("default-src 'none'");
    const noForm = { "content-type": "multipart/form-data; boundary=x" };
    expect((await login(url, "no form at all", noForm)).status).toBe(401);
    const evil = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    expect((await login(url, secret("admin"), evil)).status).toBe(403);
    expect((await raw(`${url}/login`)).headers["referrer-policy"]).toBe("same-origin");
  });

  test("is no other's, is over in a week, and with its token", async () => {
    const store = memory();
    const clock = nodeWorld();
    let now = Date.UTC(2026, 0, 1);
    const world = { ...clock, now: () => now };
    const app = (some: readonly TokenOptions[]) =>
      serverApp({ store, world, options: { tokens: some } }).hono;
    const form = new FormData();
    form.set("token", secret("operator"));
    const entered = await app(tokens).request("/login", { method: "POST", body: form });
    const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
    const status = async (some = tokens, shown = cookie): Promise<number> =>
      (await app(some).request(`${api}/runs`, { headers: { cookie: shown } })).status;
    expect(await status()).toBe(200);
    expect(await status(tokens, cookie.replace("hands", "boss"))).toBe(401);
    expect(await status(tokens, cookie.replace(/~\d/, "~9"))).toBe(401);
    expect(await status(tokens, cookie.slice(0, -1))).toBe(401);
    expect(await status(tokens.slice(0, 1))).toBe(401);
    expect(await status([{ name: "hands", role: "operator", token: "another-secret-token" }])).toBe(401);
    now += 7 * 24 * 3_600_000;
    expect(await status()).toBe(401);
  });

  test("is not for pages of other origins, not even of those that may come with a token", async () => {
    const origin = "https://intranet.example.com";
    const { url } = await stage({ options: { tokens, origins: [origin] } });
    const cookie = cookieIn(await login(url, secret("viewer")));
    const { status } = await raw(`${url}${api}/runs`, { headers: { cookie, origin } });
    expect(status).toBe(403);
  });

  test("ends when it is told to", async () => {
    const { url } = await stage({ options: { tokens, publicUrl: "https://flujo.example.com" } });
    const entered = await login(url, secret("viewer"));
    expect(entered.headers["set-cookie"]?.[0]).toContain("; Secure");
    expect(entered.headers["strict-transport-security"]).toBeDefined();
    const left = await raw(`${url}/logout`, { method: "POST", headers: { cookie: cookieIn(entered) } });
    expect([left.status, left.headers["set-cookie"]?.[0]]).toEqual([
      303,
      expect.stringContaining("Max-Age=0"),
    ]);
  });
});

describe("hostile requests", () => {
  let here: Stage;
  beforeEach(async () => {
    here = await stage();
  });

  test.each([
    "../../etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "a%00b",
    "%00",
    "a%0d%0aSet-Cookie:x=1",
    "%ff%fe",
    "%",
    "<script>alert(1)</script>",
    "%3Cscript%3E",
    "__proto__",
    "constructor",
    "'%20OR%201=1--",
    "x".repeat(5_000),
    "-rf",
    "ñ",
  ])("the id %j is refused, everywhere, as no id or an unknown one", async (id) => {
    for (const path of viewsOfRun) {
      const { status, headers, text } = await raw(
        encodeURI(`${here.url}${api}/runs/`).concat(encoded(id), path),
      );
      expect([400, 404], `${id}${path}`).toContain(status);
      expect(headers["content-type"]).toMatch(/^application\/json/);
      expect(headers["set-cookie"]).toBeUndefined();
      expect(() => JSON.parse(text)).not.toThrow();
    }
    const answer = await here.post(`${api}/runs/${encoded(id)}/cancel`);
    expect([400, 404]).toContain(answer.status);
  });

  test("bodies that are no JSON, too deep, or try to be what they are not, do no harm", async () => {
    const send = (body: string) =>
      raw(`${here.url}${api}/runs`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
    expect((await send("{")).status).toBe(400);
    expect((await send("")).status).toBe(400);
    expect((await send("\u0000")).status).toBe(400);
    const deep = `{"pipeline":"asking","runId":"deep","input":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    expect((await send(deep)).status).toBe(422);
    expect((await send('{"pipeline":"hello","__proto__":{"input":"x"}}')).status).toBe(422);
    expect(
      (await send('{"pipeline":"asking","runId":"p","input":{"__proto__":{"polluted":true}}}')).status,
    ).toBe(202);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    expect((await here.get(`${api}/runs`)).status).toBe(200);
  });

  test("a body of 1 GB is refused before it has come", async () => {
    const piece = Buffer.alloc(1 << 16, 32);
    for (const headers of [{ "content-length": String(2 ** 30) }, { "transfer-encoding": "chunked" }]) {
      let sent = 0;
      const status = await new Promise<number | string>((resolve) => {
        const asked = request(
          `${here.url}${api}/runs`,
          { method: "POST", headers: { "content-type": "application/json", ...headers } },
          (response) => {
            resolve(response.statusCode ?? 0);
            response.resume();
            asked.destroy();
          },
        );
        asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
        const more = (): void => {
          while (sent < 2 ** 30 && !asked.destroyed) {
            sent += piece.length;
            if (!asked.write(piece)) return void asked.once("drain", more);
          }
        };
        more();
      });
      expect([413, "EPIPE", "ECONNRESET"]).toContain(status);
      expect(sent).toBeLessThan(64 * 2 ** 20); // what the kernel takes in while nobody reads
    }
    const { status, body } = await here.post(`${api}/runs`, {
      pipeline: "hello",
      input: "x".repeat(1_000_001),
    });
    expect([status, body.error.code]).toEqual([413, "too-large"]);
  });

  test("headers of 20 kB are refused", async () => {
    expect((await raw(`${here.url}${api}/runs`, { headers: { "x-long": "x".repeat(20_000) } })).status).toBe(
      431,
    );
  });

  test("script text in names, inputs, outputs and errors comes back as JSON that no browser runs", async () => {
    const script = "<script>alert(1)</script>";
    const odd = pipeline(
      `p ${script}`,
      step(`s ${script}`, () => {
        throw new Error(script);
      }),
    );
    const { get, post, stands } = await stage({ steps: [odd] });
    await post(`${api}/runs`, { pipeline: `p ${script}`, input: script, runId: "r" });
    await stands("r");
    for (const path of [
      "/runs",
      "/runs/r",
      "/runs/r/operations",
      "/runs/r/entries",
      "/runs/r/graph",
      "/pipelines",
      "/runs/none",
    ]) {
      const { headers } = await get(api + path);
      expect(headers.get("content-type"), path).toMatch(/^application\/json/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
    const events = await get(`${api}/runs/r/events`);
    expect([events.headers.get("content-type"), events.headers.get("x-content-type-options")]).toEqual([
      "text/event-stream",
      "nosniff",
    ]);
    const letter = await get(`/${encodeURIComponent(script)}`);
    expect([letter.status, letter.headers.get("content-type")]).toEqual([404, "application/json"]);
  });
});

describe("limits", () => {
  test("of requests hold for each token, and say when to come back", async () => {
    const rate = { perSecond: 1, burst: 3 };
    const { get } = await stage({ options: { tokens, limits: { rate } } });
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await get(`${api}/runs`, as("viewer"))).status);
    expect(statuses.slice(0, 3)).toEqual([200, 200, 200]);
    expect(statuses).toContain(429);
    const { status, headers, body } = await get(`${api}/runs`, as("viewer"));
    expect([status, Number(headers.get("retry-after")) > 0, body.error.code]).toEqual([
      429,
      true,
      "too-many-requests",
    ]);
    expect((await get(`${api}/runs`, as("operator"))).status).toBe(200);
  });

  test("of open connections hold for all together", async () => {
    const { url, get } = await stage({ options: { limits: { streams: 2 } } });
    const stop = new AbortController();
    for (let i = 0; i < 5; i++)
      expect((await raw(`${url}${api}/events`, { method: "HEAD" })).status).toBe(200);
    for (let i = 0; i < 2; i++) await fetch(`${url}${api}/events`, { signal: stop.signal });
    expect(await get(`${api}/events`)).toMatchObject({
      status: 503,
      body: { error: { code: "too-many-streams" } },
    });
    stop.abort();
    const again = async (): Promise<number> => {
      const response = await fetch(`${url}${api}/events`);
      await response.body?.cancel();
      return response.status;
    };
    await expect.poll(again).toBe(200);
  });
});

describe("secrets", () => {
  const said: unknown[][] = [];
  beforeEach(() => {
    said.length = 0;
    vi.spyOn(console, "error").mockImplementation((...words) => void said.push(words));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("a failure nobody foresaw is told to the log, and not to the caller; tokens to neither", async () => {
    const store = { ...memory(), list: () => Promise.reject(new Error("password=hunter2")) };
    const { get } = await stage({ store, steps: [], options: { tokens } });
    const { status, body } = await get(`${api}/runs`, as("admin"));
    expect([status, body.error.code]).toEqual([500, "unexpected"]);
    expect(JSON.stringify(body)).not.toContain("hunter2");
    expect(String(said[0])).toContain("hunter2");
    expect(JSON.stringify([said, body])).not.toContain(secret("admin"));
  });

  test("a store that fails in the middle of events ends them, and says nothing of why", async () => {
    const inner = memory();
    let isBroken = false;
    const read: typeof inner.read = (...page) =>
      isBroken ? Promise.reject(new Error("password=hunter2")) : inner.read(...page);
    const busy = await stage({ store: inner });
    await busy.post(`${api}/runs`, { pipeline: "gated", runId: "r" });
    const { url } = await stage({ store: { ...inner, read }, steps: [] });
    const response = await fetch(`${url}${api}/runs/r/events`);
    isBroken = true;
    const text = await response.text();
    expect(text).toContain("run-created");
    expect(text).not.toMatch(/hunter2|event: /);
    gate("r").resolve();
  });
});

/** As an attacker writes it: what is percent-encoded already stays. */
const encoded = (id: string): string => id.replace(/[^\w%./~'-]/gu, (char) => encodeURIComponent(char));

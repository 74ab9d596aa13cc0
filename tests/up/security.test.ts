/** What `flujo up`, dashboard, figures and all, lets nobody do. Needs `npm run build`. */
import { request } from "node:http";
import { expect, test } from "vitest";
import { Application, urlOf } from "./application.ts";

const secret = (role: string): string => `the-secret-token-of-a-${role}`;
const roles = ["viewer", "operator", "admin"] as const;
const json = { "content-type": "application/json" };
const html = { accept: "text/html" };

interface Answer {
  readonly status: number;
  readonly policy: string;
  readonly text: string;
}

/** A request whose path and headers are sent as they are said. */
function raw(url: string, path: string, method: string, headers: object, body = ""): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request(
      { hostname, port, path, method, headers: { ...headers }, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
        response.on("end", () => {
          const policy = String(response.headers["content-security-policy"]);
          resolve({ status: response.statusCode ?? 0, policy, text });
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

async function guarded(): Promise<string> {
  const app = new Application();
  const server = {
    port: 0,
    tokens: roles.map((role) => ({ name: role, role, token: secret(role) })),
    limits: { rate: { perSecond: 1_000, burst: 2_000 } },
  };
  app.write("flujo.config.ts", `export default { server: ${JSON.stringify(server)} };`);
  return urlOf(await app.up([]));
}

/** Every route of its document, and the role it takes. */
async function routesOf(url: string): Promise<{ method: string; path: string; role: string }[]> {
  const headers = { authorization: `Bearer ${secret("viewer")}` };
  const { text } = await raw(url, "/api/v1/openapi.json", "GET", headers);
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, { description: string }>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, "x"),
      role: /role (\w+)/.exec(description)?.[1] ?? "",
    })),
  );
}

test("without a token, with a wrong one, with that of a lesser role, from another origin: no route answers", async () => {
  const url = await guarded();
  const routes = await routesOf(url);
  expect(routes.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["/api/v1/runs/x/fork", "/api/v1/stats", "/api/v1/schedules/x/pause"]),
  );
  for (const { method, path, role } of [...routes, { method: "GET", path: "/metrics", role: "viewer" }]) {
    const status = async (headers: object) => (await raw(url, path, method, { ...json, ...headers })).status;
    const as = (name: string, more: object = {}) =>
      status({ authorization: `Bearer ${secret(name)}`, ...more });
    expect([path, await status({}), await as("nobody")]).toEqual([path, 401, 401]);
    for (const lesser of roles.slice(0, roles.indexOf(role as "viewer")))
      expect([path, await as(lesser)]).toEqual([path, 403]);
    expect([path, await as("admin", { origin: "https://evil.example" })]).toEqual([path, 403]);
    expect([path, await as("admin", { "sec-fetch-site": "cross-site" })]).toEqual([path, 403]);
  }
});

test("pages hold nothing of any run, let no script in from elsewhere, and no path leads out of their folder", async () => {
  const app = new Application();
  const url = urlOf(await app.up(["--port", "0"]));
  const body = JSON.stringify({ pipeline: "line", input: "<script>x()</script>", runId: "r" });
  expect((await raw(url, "/api/v1/runs", "POST", json, body)).status).toBe(202);
  const paths = [
    "/",
    "/runs",
    "/runs/r",
    "/stats",
    "/versions?of=<script>",
    "/compare?a=r&b=%3Cscript%3E",
    "/x",
  ];
  for (const path of paths) {
    const page = await raw(url, path, "GET", html);
    expect([path, page.status]).toEqual([path, 200]);
    expect(page.policy).toMatch(/default-src 'none'.*script-src 'self'/);
    expect(page.text).not.toContain("x()");
    expect(page.text.match(/<script/g)).toHaveLength(1);
  }
  for (const path of [
    "/assets/../../package.json",
    "/assets/..%2f..%2fpackage.json",
    "/assets/%2e%2e/%2e%2e/bin/flujo.js",
    "/assets/x%00.js",
  ])
    expect([path, (await raw(url, path, "GET", {})).text]).not.toEqual([
      path,
      expect.stringMatching(/flujo@|"version"|#!/),
    ]);
});

test("hostile ids and paths, and a body said to be of 1 GB, are refused, and the server goes on", async () => {
  const app = new Application();
  const url = urlOf(await app.up(["--port", "0"]));
  const ids = ["..%2f..%2fetc", "%00", "%3Cscript%3E", "a'%20OR%201=1--", "-", "x".repeat(300)];
  for (const id of ids)
    for (const of of ["", "/operations", "/tree", "/costs", "/improvables", "/events", "/graph"]) {
      const { status, text } = await raw(url, `/api/v1/runs/${id}${of}`, "GET", {});
      expect([id, of, status]).toEqual([id, of, expect.toSatisfy((n: number) => n === 400 || n === 404)]);
      expect(JSON.parse(text).error.code).toBeTruthy();
    }
  const large = raw(url, "/api/v1/runs", "POST", { ...json, "content-length": 1_000_000_000 }).then(
    ({ status }) => status,
    (error: { code: string }) => error.code,
  );
  expect(await large).toBe(413);
  expect((await raw(url, "/health", "GET", {})).status).toBe(200);
});

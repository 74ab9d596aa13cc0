import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { nodeWorld } from "../node-world.ts";
import { memory } from "../stores/memory.ts";
import { serverApp } from "./app.ts";
import { pages } from "./pages.ts";

function built(): URL {
  const folder = mkdtempSync(join(tmpdir(), "flujo-pages-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Flujo</title>");
  writeFileSync(join(folder, "assets/index-abc.js"), "let a = 1;");
  writeFileSync(join(folder, "notes.txt"), "not for browsers");
  return pathToFileURL(`${folder}/`);
}

function served(folder = built()) {
  const { hono } = serverApp({ store: memory(), world: nodeWorld(), pages: pages(folder) });
  return (path: string, headers: Record<string, string> = { accept: "text/html" }): Promise<Response> =>
    Promise.resolve(hono.request(`http://127.0.0.1${path}`, { headers: { host: "127.0.0.1", ...headers } }));
}

test("every path of the dashboard is the page, never kept, and lets in nothing from elsewhere", async () => {
  const get = served();
  for (const path of ["/", "/runs", "/runs/a%2Fb?at=/p", "/anything"]) {
    const page = await get(path);
    expect([page.status, await page.text()]).toEqual([200, "<!doctype html><title>Flujo</title>"]);
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'.*script-src 'self'/);
  }
});

test("files are kept for good under names that change with them, and come packed to whoever takes it so", async () => {
  const get = served();
  const plain = await get("/assets/index-abc.js", {});
  expect(await plain.text()).toBe("let a = 1;");
  expect(plain.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(plain.headers.get("cache-control")).toContain("immutable");
  const packed = await get("/assets/index-abc.js", { "accept-encoding": "br, gzip" });
  expect(packed.headers.get("content-encoding")).toBe("gzip");
});

test("what is no page and no file of it is not found: of the API, of the folder, of the disk", async () => {
  const get = served();
  expect((await get("/api/v1/nothing")).status).toBe(404);
  expect((await get("/runs", { accept: "application/json" })).status).toBe(404);
  for (const path of [
    "/assets/notes.txt",
    "/assets/..%2Fnotes.txt",
    "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  ])
    expect((await get(path, {})).status).toBe(404);
});

test("where it was not built, the page says so", async () => {
  const page = await served(pathToFileURL("/nowhere/at/all/"))("/");
  expect(page.status).toBe(501);
  expect(await page.json()).toMatchObject({ error: { hint: "npm run build builds it." } });
});

/** The dashboard: files that a browser is given as they were built. They hold nothing of any run: those come by the API. */
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import { Refusal } from "./letter.ts";

interface File {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly zipped: Uint8Array<ArrayBuffer> | undefined;
  readonly type: string;
}

const types: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Where `npm run build` puts it. */
export const builtPages = (): URL => new URL("dist/dashboard/", import.meta.resolve("flujo/package.json"));

/**
 * Serves the dashboard: `GET /assets/…`, whose names change with their content, and the page itself at every path that
 * nobody else answers.
 *
 * @param folder read once, when this is called.
 */
export function pages(folder: URL = builtPages()): Hono {
  const files = filesIn(folder);
  const app = new Hono();
  app.get("/assets/:name", (c, next) => {
    const file = files.get(`assets/${c.req.param("name")}`);
    if (file === undefined) return next();
    c.header("Cache-Control", "public, max-age=31536000, immutable");
    return answer(file, c.req.header("accept-encoding"), c);
  });
  app.get("*", (c, next) => {
    const isPage = !c.req.path.startsWith("/api/") && c.req.header("accept")?.includes("text/html") === true;
    if (!isPage) return next();
    const page = files.get("index.html");
    if (page === undefined)
      throw new Refusal(501, "not-built", "the dashboard is not built", "npm run build builds it.");
    c.header("Cache-Control", "no-store");
    return answer(page, c.req.header("accept-encoding"), c);
  });
  return app;
}

function answer(
  { bytes, zipped, type }: File,
  accepts: string | undefined,
  c: { header(name: string, value: string): void; body(bytes: Uint8Array<ArrayBuffer>): Response },
): Response {
  c.header("Content-Type", type);
  c.header("Vary", "Accept-Encoding");
  if (zipped === undefined || accepts?.includes("gzip") !== true) return c.body(bytes);
  c.header("Content-Encoding", "gzip");
  return c.body(zipped);
}

function filesIn(folder: URL): ReadonlyMap<string, File> {
  const files = new Map<string, File>();
  for (const name of namesIn(folder)) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    const isText = extname(name) !== ".woff2"; // a font is packed already
    files.set(name, { bytes, zipped: isText ? new Uint8Array(gzipSync(bytes)) : undefined, type });
  }
  return files;
}

function namesIn(folder: URL): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) =>
      name.replaceAll("\\", "/"),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // readdir throws nothing else
    throw error;
  }
}

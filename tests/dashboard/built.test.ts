import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../../dist/dashboard");
const textOf = (name: string): string => readFileSync(join(folder, name), "utf8");
const assets = readdirSync(join(folder, "assets"));

/** Bytes of everything a browser can be given, packed: what is in docs/dashboard.md. */
const most = 270_000;

test(`the whole dashboard, its font included, is less than ${most} bytes packed`, () => {
  const sizes = assets.map((name) => gzipSync(readFileSync(join(folder, "assets", name))).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(most);
});

test("the page holds no script or style of its own, and all it loads is beside it under a name of its content", () => {
  const page = textOf("index.html");
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)|\son\w+=/);
  const loaded = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, name]) => name);
  expect(loaded.length).toBeGreaterThan(2);
  for (const name of loaded) expect(name).toMatch(/^\/assets\/[\w-]+-[\w-]{8}\.\w+$/);
});

test("styles load nothing from elsewhere", () => {
  for (const name of assets.filter((one) => one.endsWith(".css")))
    expect(textOf(join("assets", name))).not.toMatch(/@import|url\((?!["']?\/assets\/)/);
});

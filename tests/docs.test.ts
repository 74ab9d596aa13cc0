import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileAll } from "./types/compile.ts";

const root = join(import.meta.dirname, "..");
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name)),
].filter((name) => name.endsWith(".md"));

const textOf = (page: string): string => readFileSync(join(root, page), "utf8");

/** The TypeScript of a page; a block may be imported by later ones, by the name in its first line: `// name.ts`. */
function blocksIn(page: string): { readonly code: string; readonly name: string | undefined }[] {
  return [...textOf(page).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => ({
    code,
    name: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1],
  }));
}

describe("TypeScript in the documentation compiles", () => {
  const blocks = pages.flatMap((page) =>
    blocksIn(page).map((block, i) => ({
      page,
      number: i + 1,
      file: `${page.replace(/\W+/g, "-")}-${i + 1}.mts`,
      ...block,
    })),
  );
  const named = Object.fromEntries(
    blocks.flatMap(({ name, code }) => (name === undefined ? [] : [[name, code]])),
  );

  let complaints: ReturnType<typeof compileAll>;
  beforeAll(() => {
    complaints = compileAll(Object.fromEntries(blocks.map(({ file, code }) => [file, code])), named);
  }, 120_000);

  test("there is some", () => {
    expect(blocks.length).toBeGreaterThan(3);
  });

  test.each(blocks)("$page, block $number", ({ file }) => {
    expect(complaints(file)).toEqual([]);
  });
});

describe("links in the documentation lead somewhere", () => {
  test.each(pages)("%s", (page) => {
    const targets = [...textOf(page).matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)].map(
      (match) => match[1] ?? match[2] ?? "",
    );
    const own = targets.filter((target) => !/^(https?:|#)/.test(target));
    const missing = own.filter(
      (target) => !existsSync(join(root, dirname(page), target.replace(/#.*$/, ""))),
    );
    expect(missing).toEqual([]);
    for (const target of targets.filter((one) => one.includes("#") && !one.startsWith("http"))) {
      const [file, anchor = ""] = target.split("#");
      const text = file ? textOf(join(dirname(page), file)) : textOf(page);
      expect(anchorsOf(text)).toContain(anchor);
    }
  });
});

/** Headings as GitHub turns them into anchors. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Options by their flags and words, and the files that declare them. */
function declared(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of globSync("**/*.ts", { cwd: import.meta.dirname })) {
    const source = readFileSync(join(import.meta.dirname, file), "utf8");
    for (const [, flags, words] of source.matchAll(/ption\(\s*"(-[^"]+)",\s*["`]([^"`]*)/g)) {
      const option = `${flags}: ${words}`;
      found.set(option, (found.get(option) ?? new Set()).add(file));
    }
  }
  return found;
}

test("an option that several commands take is declared once, for all of them", () => {
  const options = declared();
  expect(options.size).toBeGreaterThan(50);
  expect([...options].filter(([, files]) => files.size > 1)).toEqual([]);
});

/** What a fresh clone promises, beside its code. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const textOf = (file: string): string => readFileSync(join(root, file), "utf8");

test("the README has two commands, both scripts of the package, and CI runs the second", () => {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  const commands = [...textOf("README.md").matchAll(/^npm install && npm run (\S+)$/gm)].map(
    ([, name]) => name,
  );
  expect(commands).toEqual(["showcase", "check"]);
  expect(commands.filter((name) => scripts[name as string] === undefined)).toEqual([]);
  expect(textOf(".ci/run")).toMatch(/^npm install\nnpm run check$/m);
});

test("lock files name no registry's host", () => {
  const locks = ["package-lock.json", "bench/rivals/package-lock.json"];
  for (const lock of locks) {
    const { packages } = JSON.parse(textOf(lock)) as { packages: Record<string, { resolved?: string }> };
    expect(Object.keys(packages).length).toBeGreaterThan(20);
    expect(Object.values(packages).flatMap(({ resolved }) => resolved ?? [])).toEqual([]);
  }
});

test("the licence is the AGPL's, with a commercial option beside it", () => {
  expect(textOf("LICENSE")).toContain("GNU AFFERO GENERAL PUBLIC LICENSE");
  expect(JSON.parse(textOf("package.json"))).toMatchObject({ license: "AGPL-3.0-or-later" });
  expect(textOf("README.md")).toMatch(/AGPL-3\.0-or-later[\s\S]*commercial licence/);
});

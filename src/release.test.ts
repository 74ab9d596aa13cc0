import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { releaseAt } from "./release.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const other = "f".repeat(40);

/** A folder with these files. */
function folder(files: { readonly [name: string]: string }): string {
  const at = mkdtempSync(join(tmpdir(), "flujo-release-"));
  onTestFinished(() => rmSync(at, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(at, name, ".."), { recursive: true });
    writeFileSync(join(at, name), text);
  }
  return at;
}

test("the package and the commit are those of the innermost folders around the code", () => {
  const at = folder({
    "package.json": '{"name":"outer","version":"1.0.0"}',
    "app/package.json": '{"name":"@a/app","version":"2.1.0-rc.1"}',
    "app/src/x.ts": "",
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/refs/heads/main": `${commit}\n`,
  });
  expect(releaseAt(join(at, "app/src"))).toEqual({ package: "@a/app@2.1.0-rc.1", commit });
  expect(releaseAt(at)).toEqual({ package: "outer@1.0.0", commit });
});

test("a commit is found where the head is detached, the refs are packed, or it is a worktree's", () => {
  expect(releaseAt(folder({ ".git/HEAD": `${commit}\n` }))).toMatchObject({ commit });
  const packed = `# pack-refs with: peeled\n${other} refs/heads/mainly\n${commit} refs/heads/main\n`;
  expect(
    releaseAt(folder({ ".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": packed })),
  ).toMatchObject({ commit });
  const tree = folder({
    "main/.git/worktrees/w/HEAD": "ref: refs/heads/topic\n",
    "main/.git/worktrees/w/commondir": "../..\n",
    "main/.git/refs/heads/topic": commit,
    "w/.git": "gitdir: ../main/.git/worktrees/w\n",
  });
  expect(releaseAt(join(tree, "w"))).toMatchObject({ commit });
});

test("a broken package.json, and one without a name, are passed over", () => {
  const at = folder({
    "package.json": '{"name":"fine"}',
    "a/package.json": '{"type":"module"}',
    "a/b/package.json": "{",
  });
  expect(releaseAt(join(at, "a/b"))?.package).toBe("fine");
});

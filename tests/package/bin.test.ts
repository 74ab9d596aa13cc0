import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const bin = join(import.meta.dirname, "../../bin/flujo.js");
const folder = mkdtempSync(join(tmpdir(), "flujo-bin-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the command as if Node had another version. */
function flujoOn(version: string) {
  const disguise = join(folder, "disguise.cjs");
  writeFileSync(disguise, `Object.defineProperty(process, "versions", { value: { node: "${version}" } });`);
  return spawnSync(process.execPath, ["--require", disguise, unbuilt()], { encoding: "utf8" });
}

/** The command alone, as in a clone that was never built. */
function unbuilt(): string {
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  copyFileSync(bin, join(folder, "bin/flujo.js"));
  return join(folder, "bin/flujo.js");
}

test.each(["14.21.3", "20.20.2", "22.12.0"])("on Node %s it says in one line what to install", (version) => {
  const { status, stdout, stderr } = flujoOn(version);
  expect(stderr).toMatch(
    /^flujo needs Node\.js 22\.13 or newer and this is .*npm install --save-dev node@24.*\n$/,
  );
  expect(stdout).toBe("");
  expect(status).toBe(2);
});

test("in a clone that is not built it says so in one line", () => {
  const { status, stdout, stderr } = flujoOn("22.13.0");
  expect(stderr).toBe("flujo is not built yet: run `npm run build` first.\n");
  expect(stdout).toBe("");
  expect(status).toBe(2);
});

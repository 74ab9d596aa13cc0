/** The command line among processes that die or compete. Needs `npm run build`. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";

const bin = join(import.meta.dirname, "../../bin/flujo.js");
const waits = join(import.meta.dirname, "waits.ts");

let folder: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flujo-command-"));
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  rmSync(folder, { recursive: true });
});

function flujo(...args: string[]) {
  const env = { ...process.env, FLUJO_STORE: `sqlite:${join(folder, "flujo.db")}`, GO: join(folder, "go") };
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  return child;
}

async function ended(child: ReturnType<typeof flujo>) {
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { stdout, stderr, code, signal };
}

async function waiting(child: ReturnType<typeof flujo>): Promise<void> {
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    if (String(chunk).includes("waiting")) return;
  }
  throw new Error("it ended without waiting");
}

const go = (): void => writeFileSync(join(folder, "go"), "");

test("a second process that resumes a run is refused with exit code 5, and the first one completes it", async () => {
  const owner = flujo("run", waits, "--run-id", "r");
  await waiting(owner);
  const second = await ended(flujo("resume", "r"));
  expect(second).toMatchObject({ code: 5, stdout: "" });
  expect(second.stderr).toContain(`run r is being advanced by another process (`);
  expect(second.stderr).toContain(` ${owner.pid} `);
  const done = ended(owner);
  go();
  expect(JSON.parse((await done).stdout)).toEqual({ began: owner.pid, ended: owner.pid });
});

test("killed, a run is resumed at once by its id alone", async () => {
  const owner = flujo("run", waits, "--run-id", "r");
  await waiting(owner);
  owner.kill("SIGKILL");
  expect(await ended(owner)).toMatchObject({ signal: "SIGKILL", stdout: "" });
  go();
  const second = flujo("resume", "r");
  const { code, stdout } = await ended(second);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ began: owner.pid, ended: second.pid });
});

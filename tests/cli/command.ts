import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../..");
export const bin = join(root, "bin/flujo.js");

/** The pipelines that the tests run. */
export const pipelines = join(root, "tests/fixtures/pipelines.ts");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  /** Resolves when stderr has this text. */
  saw(text: string): Promise<void>;
  /** What stderr has so far. */
  said(): string;
  kill(signal: NodeJS.Signals): void;
  /** Stops reading its stdout, as `head -1` does. */
  hangUp(): void;
  readonly ended: Promise<Ended>;
}

/** A folder of its own to work in, gone when the test ends. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), "flujo-cli-"));

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true, force: true }));
  }

  write(name: string, content: string | Uint8Array): string {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
    writeFileSync(join(this.path, name), content);
    return join(this.path, name);
  }

  /** The command, to its end. */
  flujo(...args: readonly string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** The command's document. */
  async json(...args: readonly string[]): Promise<{ code: number | null; document: Document }> {
    const { code, stdout } = await this.flujo(...args, "--json");
    return { code, document: JSON.parse(stdout) };
  }

  start(
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; input?: string | Uint8Array } = {},
  ): Running {
    const { OPENAI_API_KEY: _, FLUJO_STORE: __, ...env } = process.env;
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: this.path,
      env: { ...env, NO_COLOR: "1", ...options.env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.stdin.on("error", () => {}); // a command that asks for nothing may be gone already
    child.stdin.end(options.input ?? "");
    return {
      pid: child.pid as number, // it was spawned
      saw: (text) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (stderr.includes(text)) resolve();
          };
          look();
          child.stderr.on("data", look);
          child.once("close", () => reject(new Error(`it ended without saying "${text}":\n${stderr}`)));
        }),
      said: () => stderr,
      kill: (signal) => void child.kill(signal),
      hangUp: () => void child.stdout.destroy(),
      ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr }))),
    };
  }
}

/** What `--json` prints; a test looks at the fields it knows. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
type Document = any;

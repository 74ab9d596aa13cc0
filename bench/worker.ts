/** A `flujo worker` of bench/scale-app, as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { root } from "./measure.ts";

export interface Place {
  readonly store: string;
  readonly engine?: string | undefined;
  /** Runs at once. */
  readonly concurrency: number;
  /** Where models answer, and where bodies note what they have to. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  #said = "";
  #ending = false;

  constructor({ store, engine, concurrency, env = {} }: Place) {
    const app = join(root, "bench", "scale-app");
    const args = ["worker", "--pipelines", app, "--store", store, "--concurrency", String(concurrency)];
    if (engine !== undefined) args.push("--engine", engine);
    this.#child = spawn(process.execPath, [join(root, "bin", "flujo.js"), ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-2_000);
      if (this.#said.includes("Without HTTP")) this.#ready.resolve();
    });
    this.#child.once("exit", (code) => {
      if (!this.#ending) console.error(`a worker ended with ${code}:\n${this.#said}`);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves once it looks for runs. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Nothing of it goes on, until it is let. */
  hold(): void {
    this.#child.kill("SIGSTOP");
  }

  letGo(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, "exit");
    this.letGo();
    this.#child.kill("SIGTERM");
    await gone;
  }
}

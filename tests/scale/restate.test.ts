/** What Restate does by itself, without the store in which workers find what an engine has lost. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { restate } from "../../src/dispatch/restate.ts";
import { databases } from "../servers/databases.ts";
import { freePort } from "../servers/postgres.ts";
import { type RestateServer, restateServer } from "../servers/restate.ts";

databases("restate", "four workers on four ports, and Restate", () => {
  test("each job comes to a worker: whoever reckons the queues is killed or hangs, Restate ends and starts again", async () => {
    const server = await restateServer();
    const hands = new Hands(server);
    try {
      await server.meet();
      const dispatcher = restate(server.url);
      const runIds = Array.from({ length: 200 }, (_, i) => `r-${i}`);
      await Promise.all(runIds.map((runId) => dispatcher.submit({ runId, pipeline: "p", fingerprint: "f" })));
      for (let i = 0; i < 4; i++) await hands.add();
      const strikes = [
        { signal: "SIGKILL", restart: true },
        { signal: "SIGSTOP", restart: false }, // nobody comes in its place: the others notice
        { signal: "SIGKILL", restart: false },
        { signal: "SIGKILL", restart: true },
      ] as const;
      for (const { signal, restart } of strikes) {
        const before = hands.handed.length;
        await expect.poll(() => hands.handed.length).toBeGreaterThan(before + 10);
        await hands.strike(signal);
        if (restart) await Promise.all([server.restart(), hands.add()]);
      }
      await expect.poll(() => new Set(hands.handed).size).toBe(runIds.length);
      await expect
        .poll(() => server.stateOf("flujo-jobs", "default"))
        .not.toContainEqual(expect.stringContaining("job"));
    } finally {
      await hands.end();
      await server.stop();
    }
  });
});

/** Workers, each a process with a port of its own. */
class Hands {
  readonly #server: RestateServer;
  readonly #folder = mkdtempSync(join(tmpdir(), "flujo-hands-"));
  readonly #log = join(this.#folder, "log");
  readonly #byPort = new Map<string, ChildProcess>();

  constructor(server: RestateServer) {
    this.#server = server;
  }

  /** The runs handed over, in order; some twice. */
  get handed(): readonly string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8").trim().split("\n") : [];
  }

  /** Once it reckons the queues. */
  async add(): Promise<void> {
    const port = `${await freePort()}`;
    const file = join(import.meta.dirname, "hand.ts");
    const child = spawn(process.execPath, [file, this.#server.url, port, this.#log], { stdio: "inherit" });
    this.#byPort.set(port, child);
    await expect.poll(() => this.#reckoning()).toBe(port);
  }

  /** Hits the one that reckons the queues. */
  async strike(signal: NodeJS.Signals): Promise<void> {
    const child = this.#byPort.get((await this.#reckoning()) ?? "");
    if (child === undefined) throw new Error("nobody reckons the queues");
    const gone = once(child, "exit");
    child.kill(signal);
    if (signal === "SIGKILL") await gone;
  }

  async #reckoning(): Promise<string | undefined> {
    const [place] = await this.#server.placesOf("flujo-jobs");
    return place && new URL(place).port;
  }

  async end(): Promise<void> {
    await Promise.all(
      [...this.#byPort.values()].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
      }),
    );
    rmSync(this.#folder, { recursive: true });
  }
}

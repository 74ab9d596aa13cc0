/** Workers, each with a network of its own between it and the servers. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Chance } from "../../src/testing/chance.ts";
import { type Gate, gateTo } from "../servers/gate.ts";
import type { Manner, Way } from "./trouble.ts";

const bin = join(import.meta.dirname, "../../bin/flujo.js");
const app = join(import.meta.dirname, "app");

interface FleetParts {
  /** Addresses of the servers. */
  readonly store: string;
  readonly engine: string | undefined;
  readonly modelsUrl: string;
  readonly log: string;
}

/** The workers that live. */
export class Fleet {
  readonly #parts: FleetParts;
  readonly #workers = new Set<Worker>();
  /** One that is stopped is neither killed nor cut off: it is to go on. */
  #stopped: Worker | undefined;
  #said = "";
  #isOver = false;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  async add(): Promise<void> {
    const { store, engine } = this.#parts;
    const gates = new Map<Way, Gate>([["store", await gateTo(store)]]);
    if (engine !== undefined) gates.set("engine", await gateTo(engine));
    const worker = new Worker(gates, this.#parts, (text) => {
      this.#said += text;
    });
    this.#workers.add(worker);
    void worker.ended.then(async (code) => {
      this.#workers.delete(worker);
      // One that cannot reach its store when it begins says so and ends: whatever looks after processes starts another.
      if (code !== null && !this.#isOver) await this.add();
    });
  }

  /** What they have said on stderr. */
  get said(): string {
    return this.#said;
  }

  /** One that has had runs under way, once there is one. Undefined: there is no more work. */
  async anyAtWork(chance: Chance, ended: AbortSignal): Promise<Worker | undefined> {
    const alive = (): Worker[] => [...this.#workers].filter((worker) => worker !== this.#stopped);
    const atWork = (): Worker[] => alive().filter((worker) => worker.isAtWork);
    while (atWork().length === 0) {
      if (alive().length === 0) throw new Error(`no worker lives:\n${this.#said}`);
      if (ended.aborted) return undefined;
      await pause(20);
    }
    return chance.pick(atWork());
  }

  /** Stops the first one that has a run under way, as a machine that hangs does. */
  async stopOne(): Promise<{ readonly goOn: () => void }> {
    const worker = await Promise.race([...this.#workers].map((one) => one.working));
    this.#stopped = worker;
    worker.signal("SIGSTOP");
    return {
      goOn: () => {
        worker.signal("SIGCONT");
        this.#stopped = undefined;
      },
    };
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#workers].map((worker) => worker.kill()));
  }
}

/** One process of `flujo worker`. */
class Worker {
  readonly #child: ChildProcess;
  readonly #gates: ReadonlyMap<Way, Gate>;
  /** Resolves when it has begun a run. */
  readonly working: Promise<this>;
  /** Resolves when it is gone, and its connections with it; with null where it was killed. */
  readonly ended: Promise<number | null>;
  isAtWork = false;

  constructor(gates: ReadonlyMap<Way, Gate>, { modelsUrl, log }: FleetParts, say: (text: string) => void) {
    this.#gates = gates;
    // Far shorter than it would be out there: what is swallowed is to be missed while the series lasts.
    const store = `${gates.get("store")?.url}?patience=3s`;
    const engine = gates.get("engine")?.url;
    const args = ["worker", "--pipelines", app, "--store", store, "--concurrency", "8", "--json"];
    const child = spawn(
      process.execPath,
      [bin, ...args, ...(engine === undefined ? [] : ["--engine", engine])],
      {
        env: { ...process.env, OPENAI_API_KEY: "test", OPENAI_BASE_URL: modelsUrl, LOG: log },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    this.#child = child;
    this.working = new Promise((resolve) => {
      child.stdout.on("data", (lines: Buffer) => {
        if (!lines.toString().includes("run-advanced")) return;
        this.isAtWork = true;
        resolve(this);
      });
    });
    child.stderr.setEncoding("utf8").on("data", say);
    this.ended = once(child, "exit").then(async ([code]) => {
      if (code !== null) say(`\na worker ended with code ${code}\n`);
      for (const gate of gates.values()) await gate.shut();
      return code as number | null; // Node's own
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  /** Cuts it off from a server for a while. */
  async cut(way: Way, manner: Manner, forMs: number): Promise<void> {
    const gate = this.#gates.get(way);
    if (gate === undefined || !this.#lives) return;
    await gate[manner]();
    await Promise.race([pause(forMs), this.ended]);
    if (this.#lives) await gate.open();
  }

  get #lives(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

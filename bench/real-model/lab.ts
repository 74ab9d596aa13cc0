/** The model's server in a process of its own, and runs observed from both sides: Flujo's journal and the server's log. */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Flujo, models, type RunEvent, type RunResult, type Step } from "flujo";
import { picoPrice, prices } from "./prices.ts";
import { bill, type Served } from "./server/log.ts";

const here = import.meta.dirname;

/** One model call, as both sides have it. */
export interface Bought {
  /** Tokens Flujo reserved: its bound of the input, and the cap. */
  readonly reserved: number;
  /** How the reservation ended. */
  readonly settled: "settled" | "in doubt" | "released" | "open";
  readonly picoUsd: bigint;
  /** Undefined: it never reached the server. */
  readonly served: Served | undefined;
}

export interface Observed<Out> {
  readonly result: RunResult<Out>;
  readonly events: readonly RunEvent[];
  readonly calls: readonly Bought[];
  readonly billed: bigint;
}

export class Lab {
  readonly url: string;
  /** An empty folder of the lab's own, on the disk of the checkout. */
  readonly folder = mkdtempSync(join(here, ".cache", "lab-"));
  /** Every call of every observed run. */
  readonly calls: Bought[] = [];
  readonly #models = models({ prices });
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** Starts the server, and points OpenAI's provider to it. */
  static async open(weights: string, threads: number): Promise<Lab> {
    const server = fork(join(here, "server", "main.ts"), [weights, `${threads}`]);
    const ended = once(server, "exit");
    const url = await Promise.race([
      once(server, "message").then(([said]) => String(said)),
      ended.then(([code]) => Promise.reject(new Error(`the model's server ended with code ${code}`))),
    ]);
    process.env.OPENAI_API_KEY = "nobody-asks";
    process.env.OPENAI_BASE_URL = `${url}/v1`;
    return new Lab(url, async () => {
      server.disconnect();
      await ended;
    });
  }

  /** What the server has served so far, after whatever it is at. */
  async log(): Promise<Served[]> {
    return (await (await fetch(`${this.url}/log`)).json()) as Served[]; // front.ts sends these
  }

  /** Runs a step or pipeline, alone, and brings together what the two sides say of it. */
  async run<In, Out, State>(step: Step<In, Out, State>, input: In): Promise<Observed<Out>> {
    const before = (await this.log()).length;
    const events: RunEvent[] = [];
    await using flujo = new Flujo(step, { models: this.#models, onEvent: (event) => events.push(event) });
    const result = await flujo.run(input);
    const log = (await this.log()).slice(before);
    const calls = events.flatMap((event): Bought[] => {
      if (event.type !== "budget-reserved") return [];
      const served = log.find(({ key }) => key?.endsWith(`:${event.seq}`));
      const end = events.find((other) => "of" in other && other.of === event.seq);
      const settled =
        end?.type === "budget-settled"
          ? end.doubt
            ? "in doubt"
            : "settled"
          : end?.type === "budget-released"
            ? "released"
            : "open";
      const picoUsd = end?.type === "budget-settled" ? end.picoUsd : 0n;
      return [{ reserved: event.tokens, settled, picoUsd, served }];
    });
    this.calls.push(...calls);
    return { result, events, calls, billed: bill(log, picoPrice) };
  }

  /** A `flujo` command in this folder; `killAfter`, in milliseconds: SIGKILL comes then, if it still runs. */
  async flujo(args: readonly string[], killAfter?: number): Promise<{ code: number | null; stdout: string }> {
    const bin = join(here, "..", "..", "bin", "flujo.js");
    const command = spawn(process.execPath, [bin, ...args], { cwd: here, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    command.stdout.on("data", (text) => {
      stdout += text;
    });
    command.stderr.on("data", (text) => {
      stderr += text;
    });
    const timer = killAfter === undefined ? undefined : setTimeout(() => command.kill("SIGKILL"), killAfter);
    const [code, signal] = await once(command, "close");
    clearTimeout(timer);
    if (code !== 0 && signal !== "SIGKILL")
      throw new Error(`flujo ${args.join(" ")} ended with ${code}:\n${stderr}`);
    return { code, stdout };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

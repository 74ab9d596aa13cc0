/** Folders of pipelines, and real processes that serve them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Entry } from "../../src/core/entries.ts";
import type { RunListing, Store } from "../../src/ports/store.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { Folder, type Running } from "../cli/command.ts";

/** Three steps that note what they have done. The one that HANG names waits until the file GO is there. */
const line = `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { pipeline, step } from "flujo";

const { LOG = "log", GO = "go", HANG = "" } = process.env;
const work = (name: string) =>
  step(name, async (input: unknown, { runId, signal }) => {
    console.error("begins", runId, name);
    await pause(Math.random() * 10);
    while (name === HANG && !existsSync(GO)) await pause(10, undefined, { signal });
    appendFileSync(LOG, runId + " " + name + "\\n");
    return input;
  });

export default pipeline("line", work("one").to(work("two")).to(work("three")));
`;

/** Ask a person: for as long as it takes, and for two seconds. */
const standing = `
import { humanInTheLoop, pipeline } from "flujo";

const prompt = () => "Shall it?";
const onTimeout = { answer: { approved: false } };

export const asking = pipeline("asking", humanInTheLoop("ask", { prompt }));
export const hurried = pipeline("hurried", humanInTheLoop("ask", { prompt, timeout: "2s", onTimeout }));
`;

/** An application, with the processes that serve it. */
export class Application extends Folder {
  readonly store: Store = sqlite(join(this.path, ".flujo/flujo.db"));
  readonly #started: Running[] = [];

  constructor() {
    super();
    this.write("line.ts", line);
    this.write("pipelines/standing.ts", standing);
    onTestFinished(async () => {
      for (const running of this.#started) running.kill("SIGKILL");
      await Promise.all(this.#started.map(({ ended }) => ended));
      await this.store.close();
    });
  }

  /** The command, in the background. */
  begin(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const running = this.start(args, { env });
    this.#started.push(running);
    return running;
  }

  /** A process that serves the folder; resolves when it does. */
  async up(args: readonly string[] = ["--no-http"], env: NodeJS.ProcessEnv = {}): Promise<Running> {
    const running = this.begin(["up", ...args], env);
    await running.saw(args.includes("--no-http") ? "Without HTTP" : "Listening at");
    return running;
  }

  /** A run of `line` whose process was killed while it was in a step. */
  async abandoned(runId: string, at: string): Promise<void> {
    const owner = this.begin(["run", "line.ts", "--input", "x", "--run-id", runId], { HANG: at });
    await owner.saw(`begins ${runId} ${at}`);
    owner.kill("SIGKILL");
    await owner.ended;
  }

  /** What steps have noted. */
  did(): string[] {
    const log = join(this.path, "log");
    return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
  }

  async journal(runId: string): Promise<readonly Entry[]> {
    return (await this.store.read(runId, 0, 10_000)) ?? [];
  }

  async listing(runId: string): Promise<RunListing | undefined> {
    return (await this.store.list({ idPrefix: runId }))[0];
  }
}

/** Where a process listens. */
export const urlOf = (running: Running): string => running.said().match(/Listening at (\S+)/)?.[1] ?? "";

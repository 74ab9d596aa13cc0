/** A real `flujo up` on a real database, a model server that costs nothing, and a real browser before it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, chromium } from "playwright-core";
import type { RunDetail } from "../../dashboard/src/run/wire.ts";
import type { Json } from "../../src/core/json.ts";
import {
  type OpenAIServer,
  type OpenAIServerOptions,
  openaiServer,
} from "../../src/testing/openai-server.ts";

const root = join(import.meta.dirname, "../..");

/** Debian's Chromium, or the one that CHROMIUM_PATH names; undefined where there is none. */
export const browserPath: string | undefined = [
  process.env.CHROMIUM_PATH,
  ...(process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name))),
].find((path) => path !== undefined && existsSync(path));

export interface Stage {
  readonly url: string;
  /** The database, for those who look past the server. */
  readonly store: string;
  readonly model: OpenAIServer;
  readonly browser: Browser;
  start(pipeline: string, input: Json, runId: string, terms?: Terms): Promise<void>;
  act(runId: string, what: "fork" | "signals", how: object): Promise<void>;
  get<T>(path: string): Promise<T>;
  /** Until a run has come to stand. */
  stands(runId: string): Promise<RunDetail>;
  /** Ends the server as a crash does, and starts another one on the same port. */
  restart(whileAway: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** What a run may spend, and the budgets it shares. */
interface Terms {
  readonly budget?: string;
  readonly scopes?: readonly string[];
}

interface Server {
  readonly url: string;
  kill(): Promise<void>;
}

/** @param model how the model server answers. */
export async function stage(model: OpenAIServerOptions = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "flujo-dashboard-"));
  const store = `sqlite:${join(folder, "runs.db")}`;
  const models = await openaiServer(model);
  const env = { OPENAI_API_KEY: "none", OPENAI_BASE_URL: models.url, FLUJO_STORE: store };
  let server = await up(env, 0);
  const browser = await chromium.launch({ executablePath: browserPath ?? "", args: ["--no-sandbox"] });
  const { url } = server;
  const get = async <T>(path: string): Promise<T> =>
    (await fetch(`${url}/api/v1${path}`)).json() as Promise<T>;
  const post = async (path: string, body: object): Promise<void> => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
  };
  return {
    url,
    store,
    model: models,
    browser,
    get,
    start: (pipeline, input, runId, terms = {}) => post("/runs", { pipeline, input, runId, ...terms }),
    act: (runId, what, how) => post(`/runs/${runId}/${what}`, how),
    async stands(runId) {
      await fetch(`${url}/api/v1/runs/${runId}/events`).then((events) => events.text());
      return get(`/runs/${runId}`);
    },
    async restart(whileAway) {
      await server.kill();
      await whileAway();
      server = await up(env, Number(new URL(url).port));
    },
    async close() {
      await browser.close();
      await server.kill();
      await models.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function up(env: NodeJS.ProcessEnv, port: number): Promise<Server> {
  const args = ["up", join(import.meta.dirname, "app"), "--port", String(port), "--json"];
  const child = spawn(process.execPath, [join(root, "bin/flujo.js"), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`flujo up ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const happening = JSON.parse(line);
      if (happening.type === "not-served") reject(new Error(line));
      if (happening.type !== "serving") return;
      resolve({
        url: happening.url,
        async kill() {
          child.kill("SIGKILL");
          await ended;
        },
      });
    });
  });
}

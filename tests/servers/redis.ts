/** A Redis server of the tests' own: TEST_REDIS_URL names one, or the program that is installed makes one. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "./postgres.ts";

export interface RedisServer {
  /** As `redis()` takes it. */
  readonly url: string;
  /** Ends it at once, as `kill -9` does, and starts it again on what it has kept. Not of a server that is not ours. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const given = process.env.TEST_REDIS_URL;

export const program = ["redis-server", "valkey-server"]
  .flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)))
  .find((file) => existsSync(file));

/** Whether there is one to be had. */
export const hasRedis = given !== undefined || program !== undefined;

/** Whether the server is one of ours, which may be ended, and has the settings that are asked for. */
export const hasOwnRedis = given === undefined && program !== undefined;

/**
 * @param settings as redis.conf has them.
 * @throws Error where there is none to be had.
 */
export async function redisServer(settings: { readonly [name: string]: string } = {}): Promise<RedisServer> {
  if (given !== undefined) {
    const isOurs = async (): Promise<never> => {
      throw new Error("the server of TEST_REDIS_URL is not ours to restart");
    };
    return { url: given, restart: isOurs, stop: async () => {} };
  }
  if (program === undefined) throw new Error("there is no Redis here");
  const file = program;
  const folder = mkdtempSync(join(tmpdir(), "flujo-redis-"));
  const port = await freePort();
  // A cluster's own lines would else be at a port 10,000 higher, which there may be none of.
  const bus = settings["cluster-enabled"] === "yes" ? { "cluster-port": String(await freePort()) } : {};
  const all = {
    port: String(port),
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "no",
    ...bus,
    ...settings,
  };
  const options = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(file, options, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    await ready(child);
    return child;
  };
  let child = await start();
  return {
    url: `redis://127.0.0.1:${port}/0`,
    async restart() {
      await ended(child, "SIGKILL");
      child = await start();
    },
    async stop() {
      await ended(child, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Once its log says so. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes("Ready to accept connections")) resolve();
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`Redis did not start:\n${log}`)));
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

/** A Postgres server of the tests' own: TEST_POSTGRES_URL names one, or the programs that are installed make one. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export interface PostgresServer {
  /** As `postgres()` takes it. */
  readonly url: string;
  /** Ends it at once, as `kill -9` does, and starts it again on what it has kept. Not of a server that is not ours. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const given = process.env.TEST_POSTGRES_URL;

/** Where Debian puts the programs of a server, which is not on the PATH. */
const debian = "/usr/lib/postgresql";

function programs(): string | undefined {
  const onPath = (process.env.PATH ?? "").split(delimiter);
  const installed = existsSync(debian)
    ? readdirSync(debian)
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => join(debian, version, "bin"))
    : [];
  return [...installed, ...onPath].find((folder) =>
    ["initdb", "postgres"].every((name) => existsSync(join(folder, name))),
  );
}

const folderOfPrograms = programs();

/** Whether there is one to be had. */
export const hasPostgres = given !== undefined || folderOfPrograms !== undefined;

/** Whether the server is one of ours, which may be ended, and has the settings that are asked for. */
export const hasOwnPostgres = given === undefined && folderOfPrograms !== undefined;

/** Postgres refuses to be run by root: then it is nobody's. */
const isRoot = process.getuid?.() === 0;
const nobody = (): { readonly uid?: number; readonly gid?: number } =>
  isRoot
    ? {
        uid: Number(execFileSync("id", ["-u", "nobody"])),
        gid: Number(execFileSync("id", ["-g", "nobody"])),
      }
    : {};

/** @throws Error where there is none to be had. */
export async function postgresServer(
  settings: { readonly [name: string]: string } = {},
): Promise<PostgresServer> {
  if (given !== undefined) {
    const isOurs = async (): Promise<never> => {
      throw new Error("the server of TEST_POSTGRES_URL is not ours to restart");
    };
    return { url: given, restart: isOurs, stop: async () => {} };
  }
  if (folderOfPrograms === undefined) throw new Error("there is no Postgres here");
  const bin = folderOfPrograms;
  const who = nobody();
  const folder = mkdtempSync(join(tmpdir(), "flujo-postgres-"));
  if (who.uid !== undefined && who.gid !== undefined) chownSync(folder, who.uid, who.gid);
  const data = join(folder, "data");
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "flujo", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
    {
      ...who,
      cwd: folder,
      stdio: "pipe",
    },
  );
  const port = await freePort();
  // A process that is killed loses nothing without fsync; only a machine that is does.
  const all = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    fsync: "off",
    max_connections: "200",
    ...settings,
  };
  const options = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...options], {
      ...who,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    await ready(child);
    return child;
  };
  let child = await start();
  return {
    url: `postgres://flujo@127.0.0.1:${port}/postgres`,
    async restart() {
      await ended(child, "SIGQUIT"); // at once, without a last checkpoint: it recovers from its log
      child = await start();
    },
    async stop() {
      await ended(child, "SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Once its log says so. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes("ready to accept connections")) resolve();
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`Postgres did not start:\n${log}`)));
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

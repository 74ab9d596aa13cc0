/** PgBouncer before a server of Postgres: it hands out connections by the transaction. */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "./postgres.ts";

const program = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"]
  .map((folder) => join(folder, "pgbouncer"))
  .find((path) => existsSync(path));

/** Whether there is one to be had. */
export const hasPooler = program !== undefined;

/**
 * @param mode for how long it leaves a connection to whoever asks. Default: for a transaction.
 * @throws Error where there is none to be had.
 */
export async function poolerOf(
  serverUrl: string,
  mode: "transaction" | "statement" = "transaction",
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  if (program === undefined) throw new Error("there is no PgBouncer here");
  const { hostname, port: serverPort, username } = new URL(serverUrl);
  const folder = mkdtempSync(join(tmpdir(), "flujo-pooler-"));
  const port = await freePort();
  const settings = join(folder, "pgbouncer.ini");
  writeFileSync(
    settings,
    `[databases]
* = host=${hostname} port=${serverPort} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 4
`,
  );
  // It refuses to be run by root, as Postgres does.
  const ids =
    process.getuid?.() === 0 ? ["-u", "-g"].map((id) => Number(execFileSync("id", [id, "nobody"]))) : [];
  const [uid, gid] = ids;
  const who = uid === undefined || gid === undefined ? {} : { uid, gid };
  if (uid !== undefined && gid !== undefined)
    for (const path of [folder, settings]) chownSync(path, uid, gid);
  const child = spawn(program, [settings], { ...who, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes("process up")) resolve();
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`PgBouncer did not start:\n${log}`)));
  });
  return {
    url: `postgres://flujo@127.0.0.1:${port}/postgres`,
    async stop() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
      rmSync(folder, { recursive: true });
    },
  };
}

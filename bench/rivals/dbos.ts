import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { measure, result } from "./shared/harness.ts";

/** DBOS needs Postgres: the one of TEST_POSTGRES_URL (a database that may be filled), or one started here from these. */
const url = process.env.TEST_POSTGRES_URL;
const binaries = (process.env.PATH ?? "").split(":").find((path) => existsSync(join(path, "initdb")) && existsSync(join(path, "pg_ctl")));
if (url === undefined && binaries === undefined) {
  console.error("error: no TEST_POSTGRES_URL is set and no postgres binary is on the PATH; DBOS needs a Postgres");
  process.exit(1);
}

let failing = false;
let failedId = "";
let started = 0;

const chain = DBOS.registerWorkflow(
  async (steps: number) => {
    for (let n = 0; n < steps; n++) await DBOS.runStep(async () => result(n), { name: `step-${n}` });
    return steps;
  },
  { name: "chain" },
);
const fanout = DBOS.registerWorkflow(
  async (items: number) => {
    // Sixteen at a time, started in a fixed order, as its replay by step number asks for.
    for (let from = 0; from < items; from += 16) {
      const some = Array.from({ length: Math.min(16, items - from) }, (_, n) => from + n);
      await Promise.all(some.map((n) => DBOS.runStep(async () => result(n), { name: `item-${n}` })));
    }
    return items;
  },
  { name: "fanout" },
);
const resume = DBOS.registerWorkflow(
  async (steps: number) => {
    for (let n = 0; n < steps; n++) await DBOS.runStep(async () => result(n), { name: `step-${n}` });
    if (failing) {
      // Cancelled here, it stays unfinished until it is resumed: nothing else leaves a run behind in a living process.
      await DBOS.cancelWorkflow(failedId);
    }
    await DBOS.runStep(
      async () => {
        started = performance.now();
      },
      { name: "last" },
    );
    return steps;
  },
  { name: "resume" },
);

await measure({
  name: "DBOS",
  packages: ["@dbos-inc/dbos-sdk"],
  store: "Postgres, synchronous_commit on",
  survives: "power loss",
  overSockets: true,
  async open(folder) {
    const postgres = url === undefined ? await startPostgres(folder) : undefined;
    const launch = async () => {
      DBOS.setConfig({ name: "bench", systemDatabaseUrl: url ?? (postgres?.url as string), logLevel: "error", runAdminServer: false });
      await DBOS.launch();
    };
    await launch();
    const start = async <T>(flow: (input: number) => Promise<T>, id: string, input: number) =>
      await (await DBOS.startWorkflow(flow, { workflowID: `${process.pid}-${id}` })(input)).getResult();
    return {
      chain: async (id, steps) => void (await start(chain, id, steps)),
      fanout: async (id, items) => void (await start(fanout, id, items)),
      async resume(id, steps) {
        failing = true;
        failedId = `${process.pid}-${id}`;
        await start(resume, id, steps).catch(() => {});
        failing = false;
        await DBOS.shutdown();
        const from = performance.now();
        await launch();
        const handle = await DBOS.resumeWorkflow(failedId);
        await handle.getResult();
        return started - from;
      },
      async close() {
        await DBOS.shutdown();
        postgres?.stop();
      },
    };
  },
});

/** A Postgres of our own on a free loopback port. It refuses to run as root, so root runs it as the user postgres. */
async function startPostgres(folder: string) {
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  const as = process.getuid?.() === 0 ? { uid: id("-u"), gid: id("-g") } : {};
  const home = join(folder, "postgres");
  mkdirSync(home);
  if ("uid" in as) for (const path of [folder, home]) chownSync(path, as.uid, as.gid);
  const initdb = ["-D", join(home, "data"), "-U", "bench", "-A", "trust", "-E", "UTF8"];
  execFileSync(join(binaries as string, "initdb"), initdb, { ...as, cwd: home, stdio: "ignore" });
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
  const control = (...args: string[]) =>
    execFileSync(join(binaries as string, "pg_ctl"), ["-D", join(home, "data"), "-w", ...args], { ...as, cwd: home, stdio: "ignore" });
  control("-l", join(home, "log"), "-o", `-p ${port} -h 127.0.0.1 -k ''`, "start");
  const stop = () => control("-m", "fast", "stop");
  process.on("SIGTERM", () => {
    stop();
    process.exit(1);
  });
  return {
    url: `postgresql://bench@127.0.0.1:${port}/postgres`,
    stop,
  };
}

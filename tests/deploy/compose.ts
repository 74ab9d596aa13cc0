/**
 * The containers of examples/deploy, put up and put through what befalls containers: `npm run test:compose`. Needs `npm run build` first,
 * and a daemon that `docker compose` reaches. Its project is `flujo-compose`, the image's name `claims`, the port 3583.
 *
 * `-- --bases`: makes the images that it is built from, where no image registry is reached (`tests/deploy/bases.ts`). Takes mmdebstrap, and root.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { application, run } from "./application.ts";
import { makeBases } from "./bases.ts";

const { values } = parseArgs({ options: { bases: { type: "boolean", default: false } } });

const project = "flujo-compose";
const token = randomBytes(32).toString("hex");
const address = "http://127.0.0.1:3583";
/** Long ones take ten seconds; a person decides about each that has more than twenty pages. */
const claims = Array.from({ length: 40 }, (_, i) => ({
  id: `claim-${i}`,
  pages: i % 2 === 0 ? 400 : 10 + (i % 10),
}));
const long = claims.filter(({ pages }) => pages > 20);

const folder = mkdtempSync(join(tmpdir(), "flujo-compose-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const compose = (...args: readonly string[]): string =>
  run("docker", ["compose", "--progress", "quiet", "--project-name", project, ...args], folder);
const docker = (...args: readonly string[]): string => run("docker", args, folder).trim();

function isThere(): boolean {
  try {
    docker("info", "--format", "{{ .ServerVersion }}");
    docker("compose", "version");
    return true;
  } catch {
    return false;
  }
}

const begun = performance.now();
const tell = (text: string): void =>
  console.log(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${text}`);

function check(isSo: boolean, claim: string): void {
  if (!isSo) throw new Error(`this is not so: ${claim}`);
  tell(claim);
}

/** For two minutes at most. */
async function until(claim: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`this never came about: ${claim}`);
    await pause(200);
  }
  tell(claim);
}

interface Container {
  readonly ID: string;
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
  readonly ExitCode: number;
}

/** Those that run and those that have ended. */
const containers = (service: string): readonly Container[] =>
  compose("ps", "--all", "--format", "json", service)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Container); // so `docker compose ps` has it

const areHealthy = (service: string, many: number): boolean =>
  containers(service).filter(({ Health }) => Health === "healthy").length === many;

async function api(path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${address}/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function statuses(): Promise<ReadonlyMap<string, string>> {
  const { runs } = (await api("/runs?limit=100")) as {
    readonly runs: readonly { readonly runId: string; readonly status: string }[];
  };
  return new Map(runs.map(({ runId, status }) => [runId, status]));
}

const countOf = async (...wanted: readonly string[]): Promise<number> =>
  [...(await statuses()).values()].filter((status) => wanted.includes(status)).length;

const submit = (id: string, pages: number): Promise<unknown> =>
  api("/submissions", { pipeline: "claims", runId: id, input: { pages } });

/** Pages that are recorded as read, each once. */
async function readOf(id: string): Promise<number> {
  const paths: string[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page = (await api(`/runs/${id}/entries?from=${from}&limit=1000`)) as {
      readonly entries: readonly { readonly type: string; readonly path?: string }[];
      readonly next: number | null;
    };
    for (const { type, path = "" } of page.entries)
      if (type === "step-completed" && path.endsWith("/read")) paths.push(path);
    from = page.next ?? undefined;
  }
  if (new Set(paths).size !== paths.length) throw new Error(`${id} has recorded a page twice`);
  return paths.length;
}

async function comesUp(): Promise<void> {
  compose("config", "--quiet");
  compose("up", "--build", "--detach");
  const [doctor] = containers("doctor");
  check(doctor?.ExitCode === 0, "the doctor has looked at the database, and ended with 0");
  await until(
    "two workers and the dashboard are healthy",
    () => areHealthy("worker", 2) && areHealthy("dashboard", 1),
  );
}

function isConfined(): void {
  const inside = (...words: readonly string[]): string => compose("exec", "-T", "worker", ...words).trim();
  check(inside("id", "--user") === "1000", "a worker runs as the user node");
  const capabilities = /^CapEff:\s*(\S+)$/m.exec(inside("cat", "/proc/1/status"))?.[1];
  check(Number(`0x${capabilities}`) === 0, "it has no capability");
  const tried = inside("sh", "-c", "! touch /app/x 2>/dev/null && touch /tmp/x && echo refused");
  check(tried === "refused", "it writes nothing but to /tmp");
}

async function works(): Promise<void> {
  compose(
    "run",
    "--rm",
    "worker",
    "submit",
    "claims.ts",
    "--input-json",
    '{ "pages": 12 }',
    "--run-id",
    "by-hand",
  );
  const page = await fetch(address, { headers: { accept: "text/html" } });
  check(page.ok && (await page.text()).includes("<script"), "the dashboard shows its page");
  check((await fetch(`${address}/api/v1/runs`)).status === 401, "nobody is let in without the token");
  await until(
    "what was submitted by hand is done",
    async () => (await statuses()).get("by-hand") === "completed",
  );
  await Promise.all(claims.map(({ id, pages }) => submit(id, pages)));
}

async function losesContainers(): Promise<void> {
  await until("long ones are under way", async () => (await readOf("claim-0")) > 0);
  const [first] = containers("worker");
  docker("kill", "--signal", "KILL", first?.ID ?? "");
  tell("a worker was killed");
  compose("up", "--detach", "--scale", "worker=3", "--no-recreate");
  await until("there are three workers", () => areHealthy("worker", 3));
  compose("kill", "--signal", "KILL", "postgres");
  await pause(2_000);
  compose("up", "--detach", "--scale", "worker=3", "--no-recreate");
  tell("Postgres was killed, and started again");
  await until("every short one is completed, every long one waits for a person", async () => {
    const all = await statuses().catch(() => new Map<string, string>());
    return claims.every(({ id, pages }) => all.get(id) === (pages > 20 ? "waiting" : "completed"));
  });
}

async function isStopped(): Promise<void> {
  await submit("longest", 2_000); // for fifty seconds
  await until("a run is under way that takes longer than --grace", async () => (await readOf("longest")) > 0);
  const at = performance.now();
  compose("stop", "worker", "dashboard");
  const tookSeconds = (performance.now() - at) / 1_000;
  const codes = [...containers("worker"), ...containers("dashboard")].map(({ ExitCode }) => ExitCode);
  check(
    codes.every((code) => code === 0) && tookSeconds < 60,
    `all were stopped by SIGTERM: ${codes.length} ended with 0 within ${tookSeconds.toFixed(0)} s`,
  );
}

async function comesBack(): Promise<void> {
  compose("down");
  check(
    docker("ps", "--quiet", "--filter", `label=com.docker.compose.project=${project}`) === "",
    "all is down",
  );
  compose("up", "--detach");
  await until("all is up again", () => areHealthy("worker", 2) && areHealthy("dashboard", 1));
  check((await statuses()).size === claims.length + 2, "every run is there");
  for (const { id } of long)
    await api(`/runs/${id}/signals`, { path: "/claims/decide[person]/approve", data: { approved: true } });
  await until("every long one is completed", async () => (await countOf("completed")) === claims.length + 1);
  await until("the longest waits for a person", async () => (await statuses()).get("longest") === "waiting");
  const read = await Promise.all(claims.map(async ({ id, pages }) => (await readOf(id)) === pages));
  check(read.every(Boolean) && (await readOf("longest")) === 2_000, "each page of each is recorded once");
  compose("run", "--rm", "worker", "lens", "verify");
  tell("flujo lens verify finds the store sound");
}

if (isThere()) {
  try {
    application(folder);
    writeFileSync(
      join(folder, ".env"),
      `POSTGRES_PASSWORD=${randomBytes(16).toString("hex")}\nFLUJO_TOKEN=${token}\n`,
    );
    if (values.bases) makeBases(folder);
    await comesUp();
    isConfined();
    await works();
    await losesContainers();
    await isStopped();
    await comesBack();
    console.log("docker compose: what examples/deploy says is so");
  } catch (error) {
    console.error(compose("logs", "--tail", "20"));
    throw error;
  } finally {
    compose("down", "--volumes", "--timeout", "5");
  }
} else {
  console.error("docker compose reaches no daemon here: nothing was tested");
  process.exitCode = 1;
}

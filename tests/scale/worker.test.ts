/** `flujo submit` and `flujo worker`, as real processes. Needs `npm run build`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Application, urlOf } from "../up/application.ts";

test("a run is submitted, and a worker that is started later does it; its id is all that is printed", async () => {
  const app = new Application();
  const { code, stdout } = await app.flujo("submit", "line.ts", "--input", "x", "--run-id", "r");
  expect([code, stdout]).toEqual([0, "r\n"]);
  expect((await app.listing("r"))?.status).toBe("running");
  const worker = app.begin(["worker"]);
  await worker.saw("started    r  line");
  await worker.saw("completed  r  line");
  expect(app.did()).toEqual(["r one", "r two", "r three"]);
  worker.kill("SIGTERM");
  expect((await worker.ended).code).toBe(0);
});

test("the same id again makes no second run, and says so; with another input it is refused", async () => {
  const app = new Application();
  const submit = (input: string, ...more: string[]) =>
    app.flujo("submit", "line.ts", "--input", input, "--run-id", "r", ...more);
  await submit("x");
  const again = await submit("x", "--json");
  expect(JSON.parse(again.stdout)).toEqual({ runId: "r", pipeline: "line", isNew: false, untold: null });
  expect(again.stderr).toContain("Run r was there already");
  expect((await submit("y")).code).toBe(2);
  expect((await app.journal("r")).length).toBe(1);
});

const usd = 1_000_000_000_000n;

test("a run has the state and the shared budgets it is submitted with, and its limit is its own before that of the configuration", async () => {
  const app = new Application();
  app.write("flujo.config.ts", `export default { budget: "$3", scopes: ["house"] };`);
  const submit = (id: string, ...more: string[]) =>
    app.flujo("submit", "line.ts", "--input", "x", "--run-id", id, ...more);
  await submit("plain");
  await submit("own", "--state-json", '{"n":1}', "--scope", "tenant:acme", "--budget", "$1");
  const house = { scope: "house" };
  expect((await app.journal("plain"))[0]).toMatchObject({
    limits: { picoUsd: String(3n * usd) },
    scopes: [house],
  });
  expect((await app.journal("own"))[0]).toMatchObject({
    ...{ state: { n: 1 }, limits: { picoUsd: String(usd) } },
    scopes: [house, { scope: "tenant:acme" }],
  });
});

test("a worker takes runs of its queues, and leaves the others to others", async () => {
  const app = new Application();
  for (const queue of ["mail", "reports"])
    await app.flujo("submit", "line.ts", "--input", "x", "--run-id", queue, "--queue", queue);
  const mail = app.begin(["worker", "--queues", "mail"]);
  await mail.saw("completed  mail  line");
  expect((await app.listing("reports"))?.status).toBe("running");
  const all = app.begin(["worker", "--queues", "*"]);
  await all.saw("completed  reports  line");
  expect(mail.said()).not.toContain("reports  line");
});

test("a worker with a time ends when nothing waits, and by then has done what there was", async () => {
  const app = new Application();
  const idle = await app.begin(["worker", "--for", "60s"]).ended;
  expect([idle.code, idle.stderr]).toEqual([0, expect.stringContaining("Stopped: no run was under way")]);
  for (const id of ["a", "b"]) await app.flujo("submit", "line.ts", "--input", "x", "--run-id", id);
  const { code, stderr } = await app.begin(["worker", "--for", "60s"]).ended;
  expect([code, stderr]).toEqual([0, expect.stringContaining("completed  b  line")]);
  expect(app.did().sort()).toEqual(["a one", "a three", "a two", "b one", "b three", "b two"]);
});

test("a worker with a time leaves no run to workers of its version, or to an engine: there may be none", async () => {
  const app = new Application();
  const to = ["--engine", "restate://127.0.0.1:1?admin=1"];
  await app.flujo("submit", "line.ts", "--input", "x", "--run-id", "r", ...to);
  const now = readFileSync(join(app.path, "line.ts"), "utf8").replace(
    '.to(work("three"))',
    '.to(work("last"))',
  );
  app.write("line.ts", now);
  const { code, stderr } = await app.begin(["worker", "--for", "60s", ...to]).ended;
  expect([code, stderr]).toEqual([0, expect.stringContaining("completed  r  line")]);
  expect(app.did()).toEqual(["r one", "r two", "r last"]);
});

test("a worker whose time is over hands its run over, once, and the next one goes on", async () => {
  const app = new Application();
  await app.flujo("submit", "line.ts", "--input", "x", "--run-id", "r");
  const first = await app.begin(["worker", "--for", "4s"], { HANG: "two" }).ended;
  expect([first.code, first.stderr]).toEqual([
    0,
    expect.stringMatching(/Handed over to whoever serves this store next: r\n/),
  ]);
  const types = (await app.journal("r")).map(({ type }) => type);
  expect(types.filter((type) => type === "run-resumed").length).toBe(1);
  expect(types.at(-1)).toBe("operation-cut");
  expect((await app.listing("r"))?.lease).toBeUndefined();
  const second = await app.begin(["worker", "--for", "60s"]).ended;
  expect(second.stderr).toContain("completed  r  line");
  expect(app.did()).toEqual(["r one", "r two", "r three"]);
});

test("a run with a delay waits for its moment", async () => {
  const app = new Application();
  await app.flujo("submit", "line.ts", "--input", "x", "--run-id", "r", "--delay", "2s");
  const [created, waiting] = await app.journal("r");
  expect(waiting).toMatchObject({ type: "run-waiting", waits: [{ kind: "timer" }] });
  const worker = app.begin(["worker"]);
  await worker.saw("completed  r  line");
  const begun = (await app.journal("r")).find(({ type }) => type === "run-resumed");
  expect((begun?.at ?? 0) - (created?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
});

test("a worker that is told to end says so when it is asked, finishes the step under way, and another one does the rest", async () => {
  const app = new Application();
  for (const id of ["r", "s"]) await app.flujo("submit", "line.ts", "--input", "x", "--run-id", id);
  const first = app.begin(["worker", "--concurrency", "1", "--port", "0"], { HANG: "two" });
  await first.saw("begins r two");
  const second = app.begin(["worker"]);
  await second.saw("completed  s  line"); // the first has no room for it
  first.kill("SIGTERM");
  await first.saw("Stopping: 1 run finishes its operation");
  const health = await fetch(`${urlOf(first)}/health`);
  expect([health.status, await health.json()]).toEqual([503, { status: "stopping" }]);
  app.write("go", "");
  await second.saw("completed  r  line");
  expect((await first.ended).code).toBe(0);
  expect(app.did().filter((line) => line.startsWith("r"))).toEqual(["r one", "r two", "r three"]);
});

test("a limit of a queue holds over workers, and a killed one gives back what it had", async () => {
  const app = new Application();
  app.write("flujo.config.ts", "export default { queues: { mail: { most: 1 } } };");
  const ids = ["a", "b", "c"];
  for (const id of ids)
    await app.flujo("submit", "line.ts", "--input", "x", "--run-id", id, "--queue", "mail");
  const killed = app.begin(["worker", "--queues", "mail"], { HANG: "two" });
  await killed.saw(" two");
  const workers = [1, 2].map(() => app.begin(["worker", "--queues", "mail"]));
  for (const worker of workers) await worker.saw("Without HTTP");
  expect(app.did()).toHaveLength(1);
  killed.kill("SIGKILL");
  await expect.poll(() => app.did().length).toBe(9);
  const since = app
    .did()
    .slice(1)
    .map((line) => line.slice(0, 1));
  expect(since.filter((id, i) => id !== since[i - 1])).toHaveLength(3); // one after the other
});

test("a limit that is none is refused before anything is made", async () => {
  const app = new Application();
  app.write("flujo.config.ts", "export default { queues: { mail: { perMinute: 0 } } };");
  const { code, stderr } = await app.flujo("worker");
  expect([code, stderr]).toEqual([2, expect.stringContaining("queues, mail, perMinute")]);
});

test("with a port it answers for its health and its figures, and for nothing else", async () => {
  const app = new Application();
  await app.flujo("submit", "line.ts", "--input", "x", "--queue", "mail");
  const worker = app.begin(["worker", "--port", "0"]);
  await worker.saw("Listening at");
  const statusAt = async (path: string) => (await fetch(`${urlOf(worker)}${path}`)).status;
  expect(await statusAt("/health")).toBe(200);
  expect(await statusAt("/metrics")).toBe(200);
  const figures = await (await fetch(`${urlOf(worker)}/metrics`)).text();
  expect(figures).toContain('flujo_queue_waiting{queue="mail"} 1\n');
  expect(figures).toContain('flujo_queue_waiting{queue="default"} 0\n');
  expect(await statusAt("/api/v1/runs")).toBe(404);
  expect(await statusAt("/")).toBe(404);
});

test.each([
  [["worker", "--queues", "a b"], "names no queue"],
  [["worker", "--queues", "*", "--engine", "redis://127.0.0.1:1"], "asks for names"],
  [["worker", "--for", "900ms"], "too short a time"],
  [["worker", "--engine", "ftp://u:secret@x"], "names no engine"],
  [["submit", "line.ts", "--store", "memory:"], "forgets a run"],
  [["submit", "line.ts", "--priority", "1001"], "the priority 1001"],
  [["submit", "line.ts", "--tenant", "a/b"], "names no tenant"],
])("%j is refused with a reason", async (args, reason) => {
  const app = new Application();
  const { code, stderr } = await app.flujo(...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
  expect(stderr).not.toContain("secret");
  expect(await app.store.list({})).toEqual([]);
});

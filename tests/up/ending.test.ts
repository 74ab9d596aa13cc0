/** How `flujo up` ends, and what becomes of its runs. Needs `npm run build`. */
import { describe, expect, test } from "vitest";
import type { Running } from "../cli/command.ts";
import { Application, urlOf } from "./application.ts";

/** An application, and a process that serves it and is in the second step of a run. */
async function midway(
  args: readonly string[] = [],
): Promise<{ readonly app: Application; readonly up: Running }> {
  const app = new Application();
  app.write("flujo.config.ts", `export default { lease: "1h" };`);
  await app.abandoned("r", "two");
  const up = await app.up(["--no-http", ...args], { HANG: "two" });
  await up.saw("begins r two");
  return { app, up };
}

describe("on SIGTERM", () => {
  test("the step under way is finished, the next one is another process's: the run is free at once", async () => {
    const { app, up } = await midway();
    up.kill("SIGTERM");
    await up.saw("Stopping: 1 run finishes its operation");
    app.write("go", "");
    const { code, stderr } = await up.ended;
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining("Handed over to whoever serves this store next: r"),
    ]);
    const left = await app.listing("r");
    expect([left?.status, left?.lease]).toEqual(["running", undefined]);
    const next = await app.up();
    await next.saw("completed  r  line");
    expect(app.did()).toEqual(["r one", "r two", "r three"]);
    expect(next.said()).not.toContain("begins r two");
  });

  test("another process that serves the store goes on with it as soon as the first one lets it go", async () => {
    const { app, up } = await midway();
    const second = await app.up();
    up.kill("SIGTERM");
    await up.saw("Stopping");
    app.write("go", "");
    await second.saw("completed  r  line");
    expect((await up.ended).code).toBe(0);
    expect(app.did()).toEqual(["r one", "r two", "r three"]);
  });

  test("what does not finish in time is cut off, told with exit code 1, and done again", async () => {
    const { app, up } = await midway(["--grace", "300ms"]);
    up.kill("SIGTERM");
    const { code, stderr } = await up.ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining("which will be done again: r")]);
    expect((await app.listing("r"))?.lease).toBeUndefined();
    const next = await app.up();
    await next.saw("completed  r  line");
    expect(app.did()).toEqual(["r one", "r two", "r three"]);
  });

  test("a second signal ends it at once, with exit code 130, and nothing recorded is lost", async () => {
    const { app, up } = await midway();
    up.kill("SIGINT");
    await up.saw("Stopping");
    up.kill("SIGINT");
    expect((await up.ended).code).toBe(130);
    const next = await app.up();
    await next.saw("completed  r  line");
    expect(app.did()).toEqual(["r one", "r two", "r three"]);
  });
});

test("killed under load, with others on the store: every run ends once, and nothing recorded is done again", async () => {
  const app = new Application();
  const first = await app.up(["--port", "0"]);
  const second = await app.up();
  const url = urlOf(first);
  const names = Array.from({ length: 40 }, (_, i) => `run-${i}`);
  const begun = names.map((runId) =>
    fetch(`${url}/api/v1/runs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pipeline: "line", input: runId, runId }),
    }),
  );
  for (const answer of await Promise.all(begun)) expect(answer.status).toBe(202);
  first.kill("SIGKILL");
  await first.ended;
  const third = await app.up();
  await expect
    .poll(async () => (await app.store.list({ status: ["completed"], limit: 100 })).length)
    .toBe(names.length);
  for (const runId of names) {
    const journal = await app.journal(runId);
    const done = journal.flatMap((entry) => (entry.type === "step-completed" ? [entry.path] : []));
    expect(done).toEqual(["/line/one", "/line/two", "/line/three"]);
    expect(journal.filter(({ type }) => type === "run-completed")).toHaveLength(1);
  }
  const again = new Map(names.map((runId) => [runId, -3]));
  for (const line of app.did()) {
    const [runId = ""] = line.split(" ");
    again.set(runId, (again.get(runId) ?? 0) + 1);
  }
  for (const times of again.values()) expect([0, 1]).toContain(times); // only the step that was under way
  for (const up of [second, third]) {
    up.kill("SIGTERM");
    expect((await up.ended).code).toBe(0);
  }
});

import { join } from "node:path";
import { Flujo } from "flujo";
import {
  type Acted,
  ClientError,
  client,
  type EventView,
  type RunDetail,
  type RunLine,
  type Submitted,
  type TracedOperation,
  type TracePage,
} from "flujo/client";
import { sqlite } from "flujo/sqlite";
import { describe, expect, expectTypeOf, test } from "vitest";
import { readJournal } from "../../src/lens/journal.ts";
import { trace } from "../../src/lens/trace.ts";
import { folder, gate, hello, stage } from "./stage.ts";

describe("a client", () => {
  test("starts a run, follows it to its end, and reads what came of it", async () => {
    const { url } = await stage();
    const flujo = client({ url });
    const started = await flujo.runs.start({ pipeline: "hello", input: "Ada" });
    const types: string[] = [];
    for await (const event of flujo.runs.events(started.runId)) types.push(event.type);
    expect(types).toEqual(["run-created", "step-completed", "run-completed"]);
    const { run } = await flujo.runs.wait(started.runId);
    expect([run.status, run.output]).toEqual(["completed", "Hello, Ada!"]);
    expectTypeOf(started).toEqualTypeOf<Acted>();
    expectTypeOf(flujo.runs.wait).returns.resolves.toEqualTypeOf<RunDetail>();
    expectTypeOf(flujo.runs.events).returns.toEqualTypeOf<AsyncGenerator<EventView>>();
    expectTypeOf(flujo.runs.all).returns.toEqualTypeOf<AsyncGenerator<RunLine>>();
    // @ts-expect-error an amount has its sign
    expectTypeOf(flujo.runs.start).toBeCallableWith({ pipeline: "hello", budget: "0.50" });
  });

  test("submits a run once, with its queue and for whom, and whichever process takes it does it", async () => {
    const { url, store } = await stage();
    const flujo = client({ url });
    const request = {
      pipeline: "hello",
      input: "Ada",
      runId: "r",
      queue: "mail",
      tenant: "acme",
      priority: 5,
    };
    const submitted = await flujo.runs.submit(request);
    expect(submitted).toMatchObject({ runId: "r", status: "running", untold: null });
    expect(await flujo.runs.submit(request)).toEqual(submitted);
    await expect(flujo.runs.submit({ ...request, input: "Grace" })).rejects.toMatchObject({ status: 409 });
    expect((await flujo.runs.get("r")).run.submitted).toEqual({ queue: "mail", priority: 5, tenant: "acme" });
    await using worker = new Flujo(hello, { store });
    for (const run of await worker.recover()) await run.result();
    expect((await flujo.runs.get("r")).run).toMatchObject({ status: "completed", output: "Hello, Ada!" });
    const later = await flujo.runs.submit({ pipeline: "hello", input: "Bo", delay: "1d" });
    expect(later.status).toBe("waiting");
    expectTypeOf(later).toEqualTypeOf<Submitted>();
  });

  test("answers, waits through what a run waits for, and tells it whole", async () => {
    const { url } = await stage();
    const flujo = client({ url });
    await flujo.runs.start({ pipeline: "choosing", runId: "r" });
    expect((await flujo.runs.wait("r")).run.status).toBe("waiting");
    const done = flujo.runs.wait("r", { until: "ended" });
    const [item] = await flujo.inbox();
    await flujo.runs.signal("r", item?.path ?? "", { colour: "red" }, { by: "ana" });
    await flujo.runs.wait("r");
    await flujo.runs.signal("r", "/choosing/paid", 12);
    expect((await done).run).toMatchObject({ status: "completed", output: 12 });
  });

  test("reads a run's trace page by page, the same as the command prints", async () => {
    const { url, store } = await stage();
    const flujo = client({ url });
    await flujo.runs.start({ pipeline: "choosing", runId: "r" });
    await flujo.runs.wait("r");
    await flujo.runs.signal("r", "/choosing/pick", { colour: "red" });
    await flujo.runs.wait("r");
    const whole = await trace("r", (await readJournal(store, "r")) ?? [], ({ hash }) => store.blob(hash));
    const found: TracedOperation[] = [];
    for (let from: number | null = 0; from !== null; ) {
      const page: TracePage = await flujo.runs.trace("r", { from, limit: 1, whole: true });
      found.push(...page.operations);
      from = page.next;
    }
    expect(found.length).toBeGreaterThan(1);
    expect(found).toEqual(JSON.parse(JSON.stringify(whole.operations)));
  });

  test("goes through all runs, page by page", async () => {
    const { url } = await stage();
    const flujo = client({ url });
    for (const runId of ["a", "b", "c"]) {
      await flujo.runs.start({ pipeline: "hello", input: "x", runId });
      await flujo.runs.wait(runId);
    }
    const found: string[] = [];
    for await (const { runId } of flujo.runs.all({ limit: 2, status: ["completed"] })) found.push(runId);
    expect(found).toEqual(["c", "b", "a"]);
  });

  test("throws letters, and says when nobody answers", async () => {
    const { url, close } = await stage();
    const flujo = client({ url });
    await expect(flujo.runs.get("none")).rejects.toMatchObject({
      status: 404,
      code: "unknown-run",
      runId: "none",
      hint: expect.stringContaining("flujo lens list"),
      retryable: false,
    });
    await close();
    const error = await flujo.runs.list().catch((thrown: unknown) => thrown);
    expect(ClientError.isInstance(error) && [error.status, error.code, error.retryable]).toEqual([
      0,
      "unreachable",
      true,
    ]);
  });

  test("shows its token", async () => {
    const token = "a-token-of-some-length";
    const { url } = await stage({ options: { tokens: [{ name: "eyes", role: "viewer", token }] } });
    expect((await client({ url, token }).runs.list()).runs).toEqual([]);
    await expect(client({ url }).runs.list()).rejects.toMatchObject({ status: 401 });
    await expect(client({ url, token }).runs.start({ pipeline: "hello", input: "x" })).rejects.toMatchObject({
      status: 403,
    });
  });
});

describe("a reader of events", () => {
  test("gets every event once, though the server is started anew in between", async () => {
    const path = join(folder(), "runs.db");
    const first = await stage({ store: sqlite(path), steps: [] });
    const port = Number(new URL(first.url).port);
    const elsewhere = await stage({ store: sqlite(path) });
    await elsewhere.post("/api/v1/runs", { pipeline: "gated", runId: "r" });
    const seen: number[] = [];
    let begun = (): void => {};
    const partly = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const reading = (async () => {
      for await (const { seq } of client({ url: first.url }).runs.events("r")) {
        seen.push(seq);
        if (seen.length === 2) begun();
      }
    })();
    await partly;
    await first.close();
    gate("r").resolve();
    await elsewhere.stands("r");
    const again = await stage({ store: sqlite(path), steps: [], options: { port } });
    await reading;
    const { body } = await again.get("/api/v1/runs/r");
    expect([body.run.status, seen]).toEqual(["completed", Array.from({ length: body.next }, (_, i) => i)]);
  });

  test("is cut off by a server that ends, and told nothing false", async () => {
    const { url, close, post } = await stage();
    await post("/api/v1/runs", { pipeline: "hello", input: "x", runId: "r" });
    const response = await fetch(`${url}/api/v1/events`);
    await close();
    expect(await response.text()).toBe("retry: 1000\n\n");
  });
});

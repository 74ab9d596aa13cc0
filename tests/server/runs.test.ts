import { join } from "node:path";
import { sqlite } from "flujo/sqlite";
import { describe, expect, test } from "vitest";
import { folder, gate, stage, viewsOfRun } from "./stage.ts";

const api = "/api/v1";

describe("POST /runs", () => {
  test("starts a run, says where it is, and the run goes on", async () => {
    const { post, stands } = await stage();
    const { status, headers, body } = await post(`${api}/runs`, {
      pipeline: "hello",
      input: "Ada",
      runId: "r",
    });
    expect([status, headers.get("location"), body.runId]).toEqual([202, `${api}/runs/r`, "r"]);
    const { body: after } = await stands("r");
    expect(after).toMatchObject({ run: { status: "completed", output: "Hello, Ada!" }, served: true });
  });

  test("with the same id and input does nothing twice; with another input or pipeline it is refused", async () => {
    const { post, get, stands } = await stage();
    const ask = { pipeline: "hello", input: "Ada", runId: "r" };
    const first = await Promise.all([post(`${api}/runs`, ask), post(`${api}/runs`, ask)]);
    expect(first.map(({ status }) => status).sort()).toEqual([200, 202]);
    const { body: before } = await stands("r");
    expect((await post(`${api}/runs`, ask)).status).toBe(200);
    expect((await get(`${api}/runs/r`)).body).toEqual(before);
    expect(await post(`${api}/runs`, { ...ask, input: "Bo" })).toMatchObject({
      status: 409,
      body: { error: { code: "run-exists", message: "run r exists, and began with another input" } },
    });
    expect(await post(`${api}/runs`, { ...ask, pipeline: "asking" })).toMatchObject({
      status: 409,
      body: { error: { code: "run-exists" } },
    });
  });

  test("starts a run once though two servers are asked at the same moment", async () => {
    const path = join(folder(), "runs.db");
    const servers = [await stage({ store: sqlite(path) }), await stage({ store: sqlite(path) })];
    for (const runId of ["a", "b", "c", "d", "e"]) {
      const ask = { pipeline: "hello", input: "Ada", runId };
      const answers = await Promise.all(servers.map(({ post }) => post(`${api}/runs`, ask)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 202]);
      await servers[0]?.stands(runId);
      const { entries } = (await servers[0]?.get(`${api}/runs/${runId}/entries`))?.body ?? {};
      expect(entries.map(({ type }: { type: string }) => type)).toEqual([
        "run-created",
        "step-completed",
        "run-completed",
      ]);
    }
  });

  test("takes what a schema makes of an input for what was asked", async () => {
    const { post, stands } = await stage();
    expect((await post(`${api}/runs`, { pipeline: "counting", input: {}, runId: "r" })).status).toBe(202);
    expect((await stands("r")).body.run.status).toBe("completed");
  });

  test("does not try one again that has failed", async () => {
    const { post, stands } = await stage();
    const ask = { pipeline: "failing", runId: "r" };
    await post(`${api}/runs`, ask);
    const { body: before } = await stands("r");
    expect(await post(`${api}/runs`, ask)).toMatchObject({
      status: 200,
      body: { status: "failed", next: before.next },
    });
  });

  test.each([
    [{ pipeline: "hello", input: 7 }, 422, "invalid-input"],
    [{ pipeline: "hello", input: "Ada", runId: "../etc" }, 422, "invalid-request"],
    [{ pipeline: "hello", input: "Ada", budget: "5" }, 422, "invalid-request"],
    [{ pipeline: "hello", input: "Ada", budget: { time: "soon" } }, 400, "invalid-option"],
    [{ pipeline: "hello", inptu: "Ada" }, 422, "invalid-request"],
    [{ input: "Ada" }, 422, "invalid-request"],
    [{ pipeline: "nothing" }, 409, "not-served"],
    [[], 422, "invalid-request"],
  ])("refuses %j", async (body, status, code) => {
    const { post, get } = await stage();
    expect(await post(`${api}/runs`, body)).toMatchObject({ status, body: { error: { code } } });
    expect((await get(`${api}/runs`)).body.runs).toEqual([]);
  });

  test("keeps the run inside the budget it is given", async () => {
    const { post, stands } = await stage();
    const input = ["a", "b", "c"];
    await post(`${api}/runs`, { pipeline: "spending", input, runId: "r", budget: "$0.000000000002" });
    const { body } = await stands("r");
    expect(body.run).toMatchObject({
      status: "halted",
      limits: { costUsd: "0.000000000002" },
      error: { code: "budget-exceeded" },
    });
    const { status } = await post(`${api}/runs/r/resume`, { budget: { cost: "$0.000000000003" } });
    expect(status).toBe(202);
    const { body: after } = await stands("r");
    expect(after.run).toMatchObject({ status: "completed", spent: { costUsd: "0.000000000003" } });
  });
});

describe("GET /runs", () => {
  test("filters by status, pipeline, id and time", async () => {
    const { post, get, stands } = await stage();
    for (const [runId, pipeline] of [
      ["a-1", "hello"],
      ["a-2", "asking"],
      ["b-1", "hello"],
    ]) {
      await post(`${api}/runs`, { pipeline, input: "x", runId });
      await stands(runId as string);
    }
    const ids = async (query: string): Promise<string[]> =>
      (await get(`${api}/runs?${query}`)).body.runs.map(({ runId }: { runId: string }) => runId);
    expect(await ids("")).toEqual(["b-1", "a-2", "a-1"]);
    expect(await ids("status=waiting&status=failed")).toEqual(["a-2"]);
    expect(await ids("pipeline=hello")).toEqual(["b-1", "a-1"]);
    expect(await ids("idPrefix=a-")).toEqual(["a-2", "a-1"]);
    expect(await ids("createdFrom=2999-01-01T00:00:00Z")).toEqual([]);
    expect(await ids("createdBefore=2999-01-01T00:00:00Z&limit=1")).toEqual(["b-1"]);
  });

  test.each(["status=sleeping", "limit=0", "limit=x", "cursor=x", "colour=red", "createdFrom=soon"])(
    "refuses ?%s",
    async (query) => {
      const { get } = await stage({ steps: [] });
      expect(await get(`${api}/runs?${query}`)).toMatchObject({
        status: 400,
        body: { error: { code: "invalid-request" } },
      });
    },
  );
});

describe("a run", () => {
  test("is told with its operations, each with its values, and its places", async () => {
    const { post, get, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "spending", input: ["a", "b"], runId: "r" });
    const { body } = await stands("r");
    expect(body).toMatchObject({ run: { spent: { costUsd: "0.000000000002" } }, advancedBy: null });
    const { body: page } = await get(`${api}/runs/r/operations?from=1&limit=2`);
    expect(page).toMatchObject({ total: body.operations, next: 3 });
    expect(page.operations).toHaveLength(2);
    const path = encodeURIComponent("/spending/each[1]/buy");
    const { body: bought } = await get(`${api}/runs/r/operation?path=${path}`);
    expect(bought).toMatchObject({ kind: "step", status: "completed", input: "b", output: "B" });
    const { body: drawn } = await get(`${api}/runs/r/graph`);
    expect(drawn).toMatchObject({ current: true, graph: [{ name: "spending" }] });
    expect(drawn.places).toContainEqual({
      path: "/spending/each[]/buy",
      after: "",
      operations: { completed: 2 },
      costUsd: "0.000000000002",
    });
    const { body: journal } = await get(`${api}/runs/r/entries?from=1&limit=1`);
    expect(journal).toMatchObject({ entries: [{ seq: 1 }], next: 2 });
    expect((await get(`${api}/runs/r/entries?from=${body.next}`)).body).toEqual({ entries: [], next: null });
  });

  test("that is not there, and an operation that is not, are told in letters", async () => {
    const { post, get, stands } = await stage();
    for (const path of viewsOfRun) {
      expect(await get(`${api}/runs/none${path}`)).toMatchObject({
        status: 404,
        body: { error: { code: "unknown-run", runId: "none" } },
      });
    }
    await post(`${api}/runs`, { pipeline: "hello", input: "x", runId: "r" });
    await stands("r");
    expect(await get(`${api}/runs/r/operation?path=/nope`)).toMatchObject({
      status: 404,
      body: { error: { code: "unknown-operation" } },
    });
  });

  test("keeps large values by their size unless all is asked for", async () => {
    const { post, get, stands } = await stage();
    const input = "x".repeat(200_000);
    await post(`${api}/runs`, { pipeline: "hello", input, runId: "r" });
    await stands("r");
    const { body } = await get(`${api}/runs/r`);
    expect([body.run.input, body.run.output]).toEqual([
      expect.stringContaining("kept aside"),
      expect.stringContaining("kept aside"),
    ]);
    const { body: whole } = await get(`${api}/runs/r?whole=true`);
    expect(whole.run.output).toBe(`Hello, ${input}!`);
  });
});

describe("the events of a run", () => {
  test("go on after the last one that a reader has had; one that has had all is told to come back later", async () => {
    const { url, post } = await stage();
    await post("/api/v1/runs", { pipeline: "hello", input: "Ada", runId: "r" });
    const from = (id?: string) =>
      fetch(`${url}/api/v1/runs/r/events`, id === undefined ? {} : { headers: { "last-event-id": id } });
    const idsIn = (text: string): string[] => [...text.matchAll(/^id: ?(\d+)$/gm)].map(([, id = ""]) => id);
    expect(idsIn(await (await from()).text())).toEqual(["0", "1", "2"]);
    expect(idsIn(await (await from("0")).text())).toEqual(["1", "2"]);
    expect((await from("2")).status).toBe(204);
    const strange = await from("two");
    expect([strange.status, await strange.json()]).toMatchObject([
      400,
      { error: { code: "invalid-request" } },
    ]);
  });
});

describe("what a run is sent", () => {
  test("an answer lets it go on; a second one is refused and says who was first; one that does not fit leaves it waiting", async () => {
    const { post, get, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "choosing", runId: "r" });
    await stands("r");
    const { body } = await get(`${api}/inbox`);
    expect(body.items).toMatchObject([
      { runId: "r", path: "/choosing/pick", asks: "answer", answered: null },
    ]);
    const send = (data: unknown, path = "/choosing/pick", by = "ana") =>
      post(`${api}/runs/r/signals`, { path, data, by });
    expect(await send({ colour: "green" })).toMatchObject({
      status: 422,
      body: { error: { code: "signal-refused", path: "/choosing/pick" } },
    });
    const answers = await Promise.all([send({ colour: "red" }), send({ colour: "blue" }, undefined, "bo")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.error.message).toMatch(/(ana|bo) gave it at/);
    expect(await send(1, "/choosing/nothing")).toMatchObject({ status: 409 });
    await stands("r");
    expect(await send(12, "/choosing/paid")).toMatchObject({ status: 202 });
    const { body: after } = await stands("r");
    expect(after.run).toMatchObject({ status: "completed", output: 12 });
    expect(await send(13, "/choosing/paid")).toMatchObject({
      status: 409,
      body: { error: { code: "run-ended" } },
    });
  });

  test("a cancellation ends it, once", async () => {
    const { post, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "sleeping", runId: "r" });
    await stands("r");
    expect(await post(`${api}/runs/r/cancel`, { reason: "enough" })).toMatchObject({
      status: 202,
      body: { status: "cancelled" },
    });
    expect((await stands("r")).body.run.error.message).toContain("enough");
    expect(await post(`${api}/runs/r/cancel`)).toMatchObject({
      status: 409,
      body: { error: { code: "run-ended" } },
    });
    expect(await post(`${api}/runs/r/resume`)).toMatchObject({
      status: 409,
      body: { error: { code: "run-ended" } },
    });
  });

  test("resuming one that failed tries it again; raising a limit it does not have is refused", async () => {
    const { post, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "failing", runId: "r" });
    const { body } = await stands("r");
    expect(body.run.status).toBe("failed");
    expect(await post(`${api}/runs/r/top-up`, { by: "$1" })).toMatchObject({
      status: 400,
      body: { error: { code: "invalid-option" } },
    });
    expect((await post(`${api}/runs/r/resume`)).status).toBe(202);
    const { body: after } = await stands("r");
    expect(after.run.status).toBe("failed");
    expect(after.next).toBeGreaterThan(body.next);
  });

  test("one that is being advanced is not resumed beside it", async () => {
    const { post, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "gated", runId: "r", budget: "$1" });
    expect(await post(`${api}/runs/r/resume`, { budget: "$2" })).toMatchObject({
      status: 409,
      body: { error: { code: "running", hint: expect.stringContaining("/top-up") } },
    });
    gate("r").resolve();
    expect((await stands("r")).body.run).toMatchObject({ status: "completed", limits: { costUsd: "1" } });
  });

  test("raised limits hold", async () => {
    const { post, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "asking", runId: "r", budget: "$1" });
    await stands("r");
    expect((await post(`${api}/runs/r/top-up`, { by: { cost: "$0.5" } })).status).toBe(202);
    expect((await stands("r")).body.run.limits).toEqual({ costUsd: "1.5" });
  });
});

describe("a server that serves no pipelines", () => {
  test("shows runs, gives approvals and cancels; what takes a pipeline is refused", async () => {
    const busy = await stage();
    for (const [runId, pipeline] of [
      ["a", "asking"],
      ["c", "choosing"],
      ["s", "sleeping"],
    ]) {
      await busy.post(`${api}/runs`, { pipeline, runId });
      await busy.stands(runId as string);
    }
    const { get, post } = await stage({ store: busy.store, steps: [] });
    expect((await get(`${api}/runs/a`)).body).toMatchObject({ served: false, run: { status: "waiting" } });
    expect((await get(`${api}/runs/a/graph`)).body).toMatchObject({
      graph: null,
      current: false,
      places: [{ path: "/asking" }, { path: "/asking/approve", operations: { waiting: 1 } }],
    });
    const answer = { path: "/asking/approve", data: { approved: true }, by: "ana" };
    expect((await post(`${api}/runs/a/signals`, answer)).status).toBe(202);
    expect((await get(`${api}/inbox`)).body.items).toContainEqual(
      expect.objectContaining({ runId: "a", answered: expect.objectContaining({ by: "ana" }) }),
    );
    expect(await post(`${api}/runs/c/signals`, { path: "/choosing/pick", data: 1 })).toMatchObject({
      status: 409,
    });
    expect(await post(`${api}/runs/c/resume`)).toMatchObject({
      status: 409,
      body: { error: { code: "not-served", hint: expect.stringContaining("flujo up") } },
    });
    expect((await post(`${api}/runs/s/cancel`)).body).toMatchObject({ status: "cancelled" });
  });
});

describe("pipelines", () => {
  test("are told with their places and what their input has to be", async () => {
    const { get } = await stage();
    const { body } = await get(`${api}/pipelines`);
    expect(body.pipelines.map(({ name }: { name: string }) => name)).toContain("spending");
    expect((await get(`${api}/pipelines/hello`)).body).toMatchObject({
      pipeline: { name: "hello", inputSchema: { type: "string" }, budget: null },
      graph: [{ name: "hello", inside: [{ steps: [{ name: "greet" }] }] }],
    });
    expect((await get(`${api}/pipelines/none`)).status).toBe(404);
  });
});

test("GET /runs/{runId}/tree answers with pages of rows right below the paths asked for", async () => {
  const { post, get, stands } = await stage();
  await post(`${api}/runs`, { pipeline: "spending", input: ["a", "b", "c"], runId: "r" });
  const { body: run } = await stands("r");
  const { body: top } = await get(`${api}/runs/r/tree`);
  expect(top).toMatchObject({
    next: run.next,
    pauses: [],
    pages: [
      {
        within: "",
        total: 1,
        from: 0,
        rows: [{ path: "/spending", children: 1, costUsd: "0.000000000003" }],
      },
    ],
  });
  const wanted = ["1:/spending/each", "0:/spending/each[0]/buy"]
    .map((at) => `at=${encodeURIComponent(at)}`)
    .join("&");
  const { body: inner } = await get(`${api}/runs/r/tree?${wanted}&limit=1`);
  expect(inner.pages).toMatchObject([
    { total: 3, from: 1, rows: [{ path: "/spending/each[1]", kind: "item" }] },
    { total: 1, from: 0, rows: [{ path: "/spending/each[0]/buy:pay#0", costUsd: "0.000000000001" }] },
  ]);
  expect((await get(`${api}/runs/r/tree?at=here`)).status).toBe(400);
  expect((await get(`${api}/runs/none/tree`)).status).toBe(404);
});

test("GET /runs/{runId}/diff tells what differs between two runs, and refuses runs that are too large for it", async () => {
  const { post, get, stands } = await stage();
  for (const [runId, input] of [
    ["a", ["x", "y"]],
    ["b", ["x", "z", "z"]],
    ["large", Array.from({ length: 3_000 }, () => "x")],
  ]) {
    await post(`${api}/runs`, { pipeline: "spending", input, runId });
    await stands(String(runId));
  }
  const { body } = await get(`${api}/runs/a/diff?with=b`);
  expect(body).toMatchObject({
    a: { runId: "a", spent: { costUsd: "0.000000000002" } },
    b: { runId: "b", spent: { costUsd: "0.000000000003" } },
    input: [
      { op: "replace", path: "/1", before: "y", after: "z" },
      { op: "add", path: "/2", after: "z" },
    ],
  });
  const paths = body.operations.map(
    ({ path, only }: { path: string; only?: string }) => `${path} ${only ?? ""}`,
  );
  expect(paths).toContain("/spending/each[2]/buy b");
  expect(paths).not.toContain("/spending/each[0]/buy ");
  expect(await get(`${api}/runs/a/diff?with=large`)).toMatchObject({
    status: 422,
    body: { error: { code: "too-large" } },
  });
});

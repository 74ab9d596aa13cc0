import { client } from "flujo/client";
import { describe, expect, test } from "vitest";
import { stage } from "./stage.ts";

const api = "/api/v1";

describe("POST /runs/{runId}/fork", () => {
  test("starts a run that shares what comes before the point, and pays for nothing of it", async () => {
    const { url, post, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "spending", input: ["a", "b"], runId: "r" });
    await stands("r");
    const flujo = client({ url });
    const at = "/spending/each[1]/buy";
    const fork = await flujo.runs.fork("r", { at, input: "z", budget: "$0.000000000001" });
    expect((await stands(fork.runId)).body.run).toMatchObject({
      status: "completed",
      output: ["A", "Z"],
      spent: { costUsd: "0.000000000001" },
      limits: { costUsd: "0.000000000001" },
      forkedFrom: { runId: "r", at, sharedUsd: "0.000000000001" },
    });
    expect((await stands("r")).body.run.output).toEqual(["A", "B"]);
  });

  test("does so once however often it is asked; another point under the same id is refused", async () => {
    const { post, get, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "hello", input: "Ada", runId: "r" });
    await stands("r");
    const ask = { at: "/hello/greet", runId: "f" };
    const both = await Promise.all([post(`${api}/runs/r/fork`, ask), post(`${api}/runs/r/fork`, ask)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 202]);
    const { body: before } = await stands("f");
    expect((await post(`${api}/runs/r/fork`, ask)).status).toBe(200);
    expect((await get(`${api}/runs/f`)).body).toEqual(before);
    expect(await post(`${api}/runs/r/fork`, { ...ask, at: "/hello" })).toMatchObject({
      status: 409,
      body: { error: { code: "run-exists", message: "run f exists, and is not a fork of r at /hello" } },
    });
  });

  test.each([
    [{ at: "/hello/none" }, 400, "nothing recorded at /hello/none"],
    [{ at: "/hello/greet", prompt: "Be brief." }, 400, "no agent at /hello/greet"],
    [{ at: "/hello/greet", overlay: [{ op: "explode", path: "/" }] }, 422, "does not fit"],
    [
      { at: "/hello/greet", overlay: [{ op: "add", path: "/x/system", value: 1 }] },
      400,
      "nothing at x that an overlay can change",
    ],
    [{ at: "/hello/greet", budget: "5" }, 422, "does not fit"],
    [{ at: "/hello/greet", runId: "../etc" }, 422, "does not fit"],
    [{ at: "/hello", input: 7 }, 422, "does not fit its schema"],
    [{}, 422, "does not fit"],
  ])("refuses %j, and makes no run", async (body, status, says) => {
    const { post, get, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "hello", input: "Ada", runId: "r" });
    await stands("r");
    const answer = await post(`${api}/runs/r/fork`, body);
    expect(answer).toMatchObject({ status, body: { error: { message: expect.stringContaining(says) } } });
    expect((await get(`${api}/runs`)).body.runs).toHaveLength(1);
  });

  test("is refused by a server that only looks at the store", async () => {
    const { store, post, stands } = await stage();
    await post(`${api}/runs`, { pipeline: "hello", input: "Ada", runId: "r" });
    await stands("r");
    const looking = await stage({ store, steps: [] });
    expect(await looking.post(`${api}/runs/r/fork`, { at: "/hello/greet" })).toMatchObject({
      status: 409,
      body: { error: { code: "not-served" } },
    });
    expect((await looking.get(`${api}/runs/r/improvables`)).status).toBe(409);
  });
});

import { client } from "flujo/client";
import { expect, test } from "vitest";
import { stage } from "./stage.ts";

const api = "/api/v1";
const tiny = "0.000000000001";

test("GET /stats and /costs sum what runs did, and say whether older ones were left out", async () => {
  const { url, post, stands } = await stage();
  for (const [pipeline, runId] of [
    ["spending", "s1"],
    ["spending", "s2"],
    ["failing", "f"],
  ] as const) {
    await post(`${api}/runs`, { pipeline, input: ["a", "b"], runId });
    await stands(runId);
  }
  const flujo = client({ url });
  const stats = await flujo.stats();
  expect(stats).toMatchObject({ runs: 3, all: true, timeZone: "UTC" });
  expect(
    stats.pipelines.map(({ pipeline, runs, completedShare, spent }) => [
      pipeline,
      runs,
      completedShare,
      spent.costUsd,
    ]),
  ).toEqual([
    ["failing", 1, 0, "0"],
    ["spending", 2, 1, "0.000000000004"],
  ]);
  expect(await flujo.stats({ newest: 2 })).toMatchObject({ runs: 2, all: false });
  expect(await flujo.stats({ newest: 3 })).toMatchObject({ runs: 3, all: true });
  expect(await flujo.stats({ createdFrom: new Date(Date.now() + 60_000) })).toMatchObject({ runs: 0 });
  const costs = await flujo.costs({ pipeline: "spending" });
  expect(costs).toMatchObject({ runs: 2, total: { costUsd: "0.000000000004" } });
  expect(costs.steps).toMatchObject([{ step: "/spending/each[]/buy", spent: { costUsd: "0.000000000004" } }]);
  expect((await flujo.runs.costs("s1")).total.costUsd).toBe("0.000000000002");
});

test("GET /versions lists what runs are of; two are compared by the first characters of their fingerprints", async () => {
  const { url, post, stands } = await stage();
  await post(`${api}/runs`, { pipeline: "hello", input: "Ada", runId: "h" });
  await stands("h");
  await post(`${api}/runs`, { pipeline: "spending", input: ["a"], runId: "s" });
  await stands("s");
  const flujo = client({ url });
  const { versions, all } = await flujo.versions();
  expect([all, versions.map(({ pipeline, runs }) => [pipeline, runs])]).toEqual([
    true,
    [
      ["hello", 1],
      ["spending", 1],
    ],
  ]);
  const [a, b] = versions.map(({ fingerprint }) => fingerprint.slice(0, 8));
  const diff = await flujo.versionDiff(a ?? "", b ?? "");
  expect(diff.places.filter(({ only }) => only === "a").map(({ path }) => path)).toEqual([
    "/hello",
    "/hello/greet",
  ]);
  expect(diff.figures.find(({ step }) => step === "/spending/each[]/buy")).toMatchObject({
    a: null,
    b: { completed: 1, spent: { costUsd: tiny } },
  });
  await expect(flujo.versionDiff("ffff", "ffff")).rejects.toMatchObject({
    status: 404,
    code: "unknown-version",
  });
});

test("POST /runs/{runId}/replay walks a run on its record: nothing is paid, nothing is written", async () => {
  const { url, post, get, stands } = await stage();
  await post(`${api}/runs`, { pipeline: "spending", input: ["a"], runId: "s" });
  const { body: before } = await stands("s");
  const report = await client({ url }).runs.replay("s");
  expect(report).toMatchObject({ same: true, differences: [], compared: { bodies: 1, operations: 1 } });
  expect((await get(`${api}/runs/s`)).body).toEqual(before);
});

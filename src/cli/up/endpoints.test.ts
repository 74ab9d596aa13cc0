import { expect, test } from "vitest";
import { MissingPackageError } from "../../core/errors.ts";
import { Backlog } from "../../dispatch/backlog.ts";
import { memory } from "../../stores/memory.ts";
import { virtualWorld } from "../../testing/virtual-world.ts";
import { healthApp, metricsApp } from "./endpoints.ts";

const able = { refused: 0 };
const backlog = new Backlog(memory(), virtualWorld().process("up"), []);

test("without their packages there are no figures: what to install is said instead", async () => {
  const name = "@opentelemetry/exporter-prometheus";
  const missing = new MissingPackageError(`the package ${name} is not installed`, {
    hint: `npm install ${name}`,
  });
  const answer = await metricsApp({ missing }, able, backlog, []).request("/");
  expect([answer.status, await answer.text()]).toEqual([
    501,
    `the package ${name} is not installed. npm install ${name}\n`,
  ]);
});

const figures = {
  ...{ enter: () => {}, committed: () => {}, leave: () => {} },
  within: <T>(_: unknown, work: () => T): T => work(),
  text: async () => "one 1\n",
  contentType: "text/plain",
};

test("queues are told also when nothing waits in them; of a store that does not answer nothing is", async () => {
  const text = async (one: Backlog) =>
    (await metricsApp(figures, { refused: 2 }, one, ["mail"]).request("/")).text();
  expect((await text(backlog)).split("\n")).toEqual(
    expect.arrayContaining(["one 1", 'flujo_queue_waiting{queue="mail"} 0']),
  );
  const away = { ...memory(), list: () => Promise.reject(new Error("away")) };
  expect(await text(new Backlog(away, virtualWorld().process("up"), []))).toBe(
    "one 1\n# HELP flujo_runs_refused Runs that wait and that this process cannot go on with\n# TYPE flujo_runs_refused gauge\nflujo_runs_refused 2\n",
  );
});

test("it is well while it works, and not when it is on its way out, or its store does not answer", async () => {
  const away = { cacheGet: () => Promise.reject(new Error("away")) };
  const asked = async (store: Parameters<typeof healthApp>[1], isStopping: boolean) => {
    const how = { isStopping: () => isStopping, isGuarded: () => true };
    const answer = await healthApp({ running: 1 }, store, ["p"], how).request("/");
    return [answer.status, await answer.json()];
  };
  expect(await asked(memory(), false)).toEqual([200, { status: "ready" }]);
  expect(await asked(memory(), true)).toEqual([503, { status: "stopping" }]);
  expect(await asked(away, false)).toEqual([503, { status: "no-store" }]);
});

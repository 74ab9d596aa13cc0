import { existsSync } from "node:fs";
import { client } from "flujo/client";
import { expect, test } from "vitest";
import { Folder, pipelines, type Running } from "./command.ts";

/** Where it says that it listens. */
async function urlOf(running: Running): Promise<string> {
  await running.saw("Ctrl-C stops it");
  return /http:\/\/\S+:\d+/.exec(running.said())?.[0] ?? "";
}

test("flujo lens serve shows the runs of a store and takes answers; SIGTERM ends it", async () => {
  const folder = new Folder();
  await folder.flujo("run", pipelines, "--export", "asking", "--input", "Hi", "--run-id", "r");
  const serving = folder.start(["lens", "serve", "--port", "0"]);
  const flujo = client({ url: await urlOf(serving) });
  expect((await flujo.runs.list()).runs).toMatchObject([{ runId: "r", status: "waiting" }]);
  await flujo.runs.signal("r", "/asking/approve", { approved: true }, { by: "ana" });
  await expect(flujo.runs.resume("r")).rejects.toMatchObject({ status: 409, code: "not-served" });
  serving.kill("SIGTERM");
  expect((await serving.ended).code).toBe(0);
  const { document } = await folder.json("resume", "r");
  expect(document).toMatchObject({ status: "completed", output: { approved: true } });
});

test("FLUJO_TOKEN closes it to whoever does not show it, and is told to nobody", async () => {
  const folder = new Folder();
  await folder.flujo("run", pipelines, "--input", "x", "--run-id", "r");
  const token = "a-secret-token-from-the-environment";
  const serving = folder.start(["lens", "serve", "--port", "0"], { env: { FLUJO_TOKEN: token } });
  const url = await urlOf(serving);
  await expect(client({ url }).runs.list()).rejects.toMatchObject({ status: 401 });
  expect((await client({ url, token }).runs.list()).runs).toHaveLength(1);
  serving.kill("SIGINT");
  const { code, stdout, stderr } = await serving.ended;
  expect([code, stdout]).toEqual([0, ""]);
  expect(stderr).not.toContain(token);
});

test("it does not listen to other machines without a token, nor to a store that is not there", async () => {
  const folder = new Folder();
  const nothing = await folder.flujo("lens", "serve", "--port", "0");
  expect([nothing.code, nothing.stderr]).toEqual([
    2,
    expect.stringContaining("there are no runs to look at"),
  ]);
  expect(existsSync(`${folder.path}/.flujo`)).toBe(false);
  await folder.flujo("run", pipelines, "--input", "x");
  const { code, stderr } = await folder.flujo("lens", "serve", "--host", "0.0.0.0", "--port", "0");
  expect([code, stderr]).toEqual([2, expect.stringContaining("FLUJO_TOKEN")]);
});

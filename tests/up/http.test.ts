/** What `flujo up` answers over HTTP. Needs `npm run build`. */
import parsed from "parse-prometheus-text-format";
import { expect, test } from "vitest";
import { freePort } from "../servers/postgres.ts";
import { Application, urlOf } from "./application.ts";

const json = { "content-type": "application/json" };
const begin = (url: string, runId: string): Promise<Response> =>
  fetch(`${url}/api/v1/runs`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ pipeline: "line", input: "x", runId }),
  });

test("it says that it works, and what it does; its figures count a run that has ended", async () => {
  const app = new Application();
  const up = await app.up(["--port", "0"]);
  const url = urlOf(up);
  const health = await fetch(`${url}/health`);
  expect([health.status, await health.json()]).toEqual([
    200,
    { status: "ready", version: expect.any(String), pipelines: ["line", "asking", "hurried"], running: 0 },
  ]);
  expect((await begin(url, "r")).status).toBe(202);
  await up.saw("completed  r  line");
  const metrics = await fetch(`${url}/metrics`);
  expect(metrics.headers.get("content-type")).toMatch(/^text\/plain/);
  const ended = parsed(await metrics.text()).find(({ name }) => name === "flujo_runs_ended_total");
  expect(ended?.metrics).toMatchObject([
    { value: "1", labels: { flujo_pipeline: "line", flujo_run_status: "completed" } },
  ]);
});

test("with tokens, strangers learn that it works, and no figures", async () => {
  const app = new Application();
  const tokens = [{ name: "scraper", role: "viewer", token: "a-token-of-some-length" }];
  app.write("flujo.config.ts", `export default { server: { port: 0, tokens: ${JSON.stringify(tokens)} } };`);
  const url = urlOf(await app.up([]));
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: "ready" });
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  const headers = { authorization: "Bearer a-token-of-some-length" };
  expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
});

test("a second process on the port is refused before it serves anything", async () => {
  const app = new Application();
  const { port } = new URL(urlOf(await app.up(["--port", "0"])));
  await app.abandoned("r", "two");
  const { code, stderr } = await app.flujo("up", "--port", port);
  expect([code, stderr]).toEqual([2, expect.stringContaining("something listens there already")]);
  expect(stderr).not.toContain("r  line");
});

test("it submits what workers are to do, and leaves them their queues", async () => {
  const app = new Application();
  const up = await app.up(["--port", "0", "--queues", "web"]);
  await up.saw("Takes runs of web");
  const submit = (runId: string, queue: string): Promise<Response> =>
    fetch(`${urlOf(up)}/api/v1/submissions`, {
      method: "POST",
      headers: json,
      body: JSON.stringify({ pipeline: "line", input: "x", runId, queue }),
    });
  for (const queue of ["mail", "web"]) expect((await submit(queue, queue)).status).toBe(202);
  await up.saw("completed  web  line");
  expect((await app.listing("mail"))?.status).toBe("running");
  app.begin(["worker", "--queues", "mail"]);
  await expect.poll(async () => (await app.listing("mail"))?.status).toBe("completed");
  expect(up.said()).not.toContain("mail  line");
});

test("where the engine is away, whoever submits is told, and the run is in the store", async () => {
  const app = new Application();
  const engine = `redis://127.0.0.1:${await freePort()}/0`;
  const up = await app.up(["--port", "0", "--queues", "web"], { FLUJO_ENGINE: engine });
  const answer = await fetch(`${urlOf(up)}/api/v1/submissions`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ pipeline: "line", input: "x", runId: "r", queue: "mail" }),
  });
  expect(await answer.json()).toMatchObject({
    runId: "r",
    untold: expect.stringContaining("cannot be reached"),
  });
  expect((await app.listing("r"))?.status).toBe("running");
});

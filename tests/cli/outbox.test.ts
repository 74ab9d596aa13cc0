import { expect, onTestFinished, test } from "vitest";
import { type HttpReceiver, httpReceiver } from "../sinks/http-receiver.ts";
import { Folder, pipelines } from "./command.ts";

const secret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;

/** A folder whose configuration tells one sink, an HTTP server of this test's. */
async function scene(options = ""): Promise<{ folder: Folder; receiver: HttpReceiver }> {
  const folder = new Folder();
  const receiver = await httpReceiver();
  onTestFinished(() => receiver.close());
  folder.write(
    "flujo.config.ts",
    `import { defineConfig } from "flujo";
import { webhook } from "flujo/sinks";
export default defineConfig({
  sinks: { hooks: { to: webhook({ url: "${receiver.url}", secret: "${secret}" }), ${options} } },
});`,
  );
  return { folder, receiver };
}

const hello = (runId: string) => ["run", pipelines, "--input", "Ada", "--run-id", runId, "--quiet"];
const types = ({ received }: HttpReceiver) => received.map(({ body }) => JSON.parse(body).type);

test("a run tells the sinks of the configuration before the command ends", async () => {
  const { folder, receiver } = await scene();
  expect((await folder.flujo(...hello("one"))).code).toBe(0);
  expect(types(receiver)).toEqual(["run-completed"]);
  expect(receiver.received[0]?.headers["webhook-id"]).toMatch(/^evt_/);
  const { code, stdout, stderr } = await folder.flujo("outbox", "list");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toContain("Nothing is undelivered in sqlite:.flujo/flujo.db");
});

test("what could not be delivered is listed, and delivered later, under the same id", async () => {
  const { folder, receiver } = await scene();
  const ids: unknown[] = [];
  receiver.does = (response, { headers }) => {
    ids.push(headers["webhook-id"]);
    response.writeHead(500).end();
  };
  const run = await folder.flujo(...hello("one"));
  expect(run.code).toBe(0);
  expect(run.stderr).toContain('the sink "hooks" has not taken every event of run one yet');
  const { document } = await folder.json("outbox", "list");
  expect(document).toMatchObject({
    waiting: [
      {
        sink: "hooks",
        runId: "one",
        attempts: expect.any(Number),
        why: expect.stringContaining("answered 500"),
      },
    ],
    dead: [],
  });
  expect((await folder.flujo("outbox", "list")).stdout).toContain("hooks  run one, from event 2 on");
  const failed = await folder.flujo("outbox", "deliver");
  expect(failed.stderr).toContain("0 delivered, 1 failed");
  expect(failed.code).toBe(1);
  receiver.does = "takes";
  expect((await folder.json("outbox", "deliver")).document).toEqual({ delivered: 1, failed: 0, dead: 0 });
  expect(receiver.received[0]?.headers["webhook-id"]).toBe(ids[0]);
  expect(new Set(ids).size).toBe(1);
});

test("dead letters are listed, sent again by the first characters of their ids, and dropped", async () => {
  const { folder, receiver } = await scene('events: ["run-created", "step-completed", "run-completed"]');
  receiver.does = "refuses";
  const run = await folder.flujo(...hello("one"));
  expect(run.stderr).toContain('the sink "hooks" did not take an event of run one');
  const { dead } = (await folder.json("outbox", "list")).document;
  expect(dead).toMatchObject([
    { type: "run-created" },
    { type: "step-completed" },
    { type: "run-completed" },
  ]);
  const [first, second] = dead as { id: string }[];
  const shown = await folder.flujo("outbox", "list");
  expect(shown.stdout).toContain(`${first?.id}  hooks  run one: run-created at /`);
  expect(shown.stdout).toContain("given up after 1 try");

  const again = await folder.flujo("outbox", "retry", first?.id ?? "");
  expect(again.stderr).toContain(`${first?.id} failed: webhook`);
  expect(again.code).toBe(1);
  receiver.does = "takes";
  expect((await folder.flujo("outbox", "retry", first?.id.slice(0, 12) ?? "")).code).toBe(0);
  expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([first?.id]);
  expect((await folder.flujo("outbox", "drop", second?.id ?? "")).stderr).toContain("1 dropped.");
  expect((await folder.flujo("outbox", "retry", "--all", "--sink", "hooks")).code).toBe(0);
  expect(types(receiver)).toEqual(["run-created", "run-completed"]);
  expect((await folder.json("outbox", "list")).document).toEqual({ waiting: [], dead: [] });
});

test("a run that is cancelled from outside tells it, too", async () => {
  const { folder, receiver } = await scene();
  const asking = folder.write(
    "asking.ts",
    `import { humanInTheLoop, pipeline } from "flujo";
export default pipeline("asking", humanInTheLoop("ok", { prompt: () => "Shall we?" }));`,
  );
  expect((await folder.flujo("run", asking, "--run-id", "one")).code).toBe(3);
  expect((await folder.flujo("cancel", "one", "--yes")).code).toBe(0);
  expect(types(receiver)).toEqual(["signal-awaited", "run-cancelled"]);
});

test("words that make no sense are refused with what to do", async () => {
  const { folder } = await scene();
  await folder.flujo(...hello("one"));
  for (const [args, text] of [
    [["outbox", "retry"], "say which dead letters"],
    [["outbox", "drop", "evt_1", "--all"], "say which dead letters"],
    [["outbox", "retry", "evt_1"], "there is no dead letter evt_1"],
  ] as const) {
    const { code, stderr } = await folder.flujo(...args);
    expect(stderr).toContain(text);
    expect(code).toBe(2);
  }
  const bare = new Folder();
  await bare.flujo(...hello("one"));
  const { code, stderr } = await bare.flujo("outbox", "deliver");
  expect(stderr).toContain("no sinks are configured here");
  expect(code).toBe(2);
  expect((await new Folder().flujo("outbox", "list")).code).toBe(0);
});

test("a sink whose secret is not set is refused before anything runs", async () => {
  const folder = new Folder();
  folder.write(
    "flujo.config.ts",
    `import { defineConfig } from "flujo";
import { webhook } from "flujo/sinks";
export default defineConfig({ sinks: { hooks: webhook({ url: "https://example.com", secret: process.env.NOT_SET }) } });`,
  );
  const { code, stderr } = await folder.flujo(...hello("one"));
  expect(stderr).toContain("the secret of webhook example.com is missing");
  expect(stderr).toContain("flujo.config.ts");
  expect(code).toBe(2);
});

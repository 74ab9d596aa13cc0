/** Real processes, OpenTelemetry's own SDK and exporters, a collector on loopback: what arrives there. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type OpenAIServer, openaiServer } from "../../src/testing/openai-server.ts";
import { type Collector, collector, type WireSpan } from "./collector.ts";
import { tree } from "./wire-tree.ts";

let folder: string;
let collected: Collector;
let server: OpenAIServer;
const children = new Set<ChildProcess>();
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flujo-telemetry-"));
  collected = await collector();
  server = await openaiServer({ reply: () => "SECRET answer" });
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await collected.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Starts a process that advances run `r`. */
function start(hold: string): ChildProcess {
  const worker = fileURLToPath(new URL("./worker.ts", import.meta.url));
  const child = spawn(process.execPath, [worker, join(folder, "flujo.db"), "r", hold], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      OPENAI_BASE_URL: server.url,
      OPENAI_API_KEY: "sk-of-nobody",
      OTEL_EXPORTER_OTLP_ENDPOINT: collected.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "20",
      OTEL_BLRP_SCHEDULE_DELAY: "20",
    },
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function ended(child: ChildProcess): Promise<unknown> {
  const [[status]] = await Promise.all([once(child, "message"), once(child, "exit")]);
  return status;
}

test("a run killed with kill -9 and finished by two other processes is one trace, whole and linked", async () => {
  const first = start("1");
  const sent = (wanted: string): number => collected.spans.filter(({ name }) => name === wanted).length;
  await collected.until(
    () => sent("step work") === 1 && sent("operation prepare") === 2 && sent("fetch") === 2,
  );
  first.kill("SIGKILL");
  await once(first, "exit");
  expect(await ended(start(""))).toBe("waiting");
  expect(await ended(start("go on"))).toBe("completed");

  const { spans } = collected;
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  expect(new Set(spans.map(({ pid }) => pid)).size).toBe(3);
  expect(tree(spans)).toEqual([
    "invoke_workflow q3 !process-lost",
    "  invoke_workflow q3 completed",
    "    step send",
    "  invoke_workflow q3 waiting",
    "    invoke_agent ask",
    "      chat gpt-4o-mini",
    "    mapOver each",
    "      step work",
    "  invoke_workflow q3 waiting",
    "  mapOver each !process-lost",
    "    step work",
    "      operation prepare",
    "        fetch",
    "    step work !process-lost",
    "      operation prepare",
    "        fetch",
  ]);
  const tenures = spans.filter(({ name }) => name === "invoke_workflow q3").sort(byStart);
  expect(tenures.map(({ links = [] }) => links.map(({ spanId }) => spanId))).toEqual([
    [],
    ...tenures.slice(0, -1).map(({ spanId }) => [spanId]),
  ]);
});

test("model calls arrive with the attributes of the conventions, records with run and path, and no words", async () => {
  expect(await ended(start(""))).toBe("waiting");
  const [call] = collected.spans.filter(({ name }) => name === "chat gpt-4o-mini");
  expect(call).toMatchObject({
    kind: 3, // CLIENT
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.request.max_tokens": 4_096,
      "gen_ai.request.temperature": 0,
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.response.id": expect.any(String),
      "gen_ai.usage.input_tokens": expect.any(Number),
      "gen_ai.usage.output_tokens": expect.any(Number),
      "flujo.run.id": "r",
      "flujo.path": "/q3/ask:call#0",
    },
  });
  const ids = new Set(collected.spans.map(({ spanId }) => spanId));
  expect(collected.records.length).toBeGreaterThan(8);
  for (const { traceId, spanId, attributes } of collected.records) {
    expect(attributes["flujo.run.id"]).toBe("r");
    expect(traceId).toBe(call?.traceId);
    expect(ids).toContain(spanId);
  }
  expect(collected.records.map(({ body }) => body)).toContain("step-completed /q3/each[1]/work");
  expect([...collected.metrics]).toEqual(
    expect.arrayContaining([
      "gen_ai.client.token.usage",
      "gen_ai.client.operation.duration",
      "flujo.runs.started",
    ]),
  );
  expect(JSON.stringify([collected.spans, collected.records])).not.toContain("SECRET");
});

const byStart = (a: WireSpan, b: WireSpan): number =>
  Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano));

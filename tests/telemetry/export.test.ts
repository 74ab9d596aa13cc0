/** A run exported as OTLP is the trace that watching it told: the same spans, ids, names, times and attributes. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { agent, mapOver, models, pipeline, step, tool } from "flujo";
import { scene, scriptedModel } from "flujo/testing";
import { expect, test } from "vitest";
import * as z from "zod";
import { fold } from "../../src/core/fold.ts";
import { Places } from "../../src/lens/places.ts";
import { readOutline } from "../../src/lens/versions.ts";
import { otlpDocument } from "../../src/telemetry/otlp.ts";
import { collector } from "./collector.ts";
import { msOf, watcher } from "./stage.ts";

function office() {
  const model = scriptedModel({
    replies: [{ toolCalls: [{ name: "look", input: {} }] }, { text: "SECRET" }],
  });
  const look = tool("look", { description: "Looks", input: z.object({}), execute: () => 1 });
  let isBroken = true;
  const flaky = step("flaky", async (n: number, ctx) => {
    await ctx.run("get", () => n);
    if (n === 2 && isBroken) throw new Error("SECRET not yet");
    return n;
  });
  const made = pipeline(
    "p",
    agent("ask", { model, system: "Ask.", tools: [look] })
      .to("list", () => [1, 2])
      .to(mapOver("each", flaky)),
  );
  const mend = (): void => {
    isBroken = false;
  };
  return { made, models: models({ prices: model.prices }), mend };
}

test("the document has every span that was told of a run of several tenures, as it was told, without its words", async () => {
  const on = scene();
  const { made, models, mend } = office();
  const { instrument, spans } = watcher();
  const first = on.cast(made, { models, instrument });
  await first.run("SECRET", { runId: "r" });
  mend();
  const second = on.cast(made, { models, instrument });
  await on.play(second.runner.resume("r").result());
  const told = await spans();
  const entries = await on.journal("r");
  const run = fold(entries);
  const { places = [] } = (await readOutline(on.store, run.outline ?? "")) ?? {};
  const kinds = new Map(places.map(({ path, kind }) => [path, kind]));
  const placeOf = await new Places(on.store).of(run.manifest);
  const source = {
    ...{ runId: "r", pipeline: "p", entries, store: on.store },
    kindOf: (path: string) => kinds.get(placeOf(path)),
  };
  const document = await otlpDocument({ ...source, content: false });

  await using collected = await listening();
  await collected.send(document);
  expect(collected.spans.map(({ spanId }) => spanId).toSorted()).toEqual(
    told.map((span) => span.spanContext().spanId).toSorted(),
  );
  for (const span of told) {
    const wire = collected.spans.find(({ spanId }) => spanId === span.spanContext().spanId);
    expect(wire).toMatchObject({
      traceId: span.spanContext().traceId,
      name: span.name,
      ...(span.parentSpanContext === undefined ? {} : { parentSpanId: span.parentSpanContext.spanId }),
    });
    expect(Number(wire?.startTimeUnixNano) / 1e6).toBeCloseTo(msOf(span.startTime), 0);
    expect(Number(wire?.endTimeUnixNano) / 1e6).toBeCloseTo(msOf(span.endTime), 0);
    expect(wire?.attributes).toEqual(kept(span));
    expect(wire?.links?.map(({ spanId }) => spanId) ?? []).toEqual(
      span.links.map(({ context }) => context.spanId),
    );
  }
  expect(JSON.stringify(document)).not.toContain("SECRET");
  expect(JSON.stringify(await otlpDocument({ ...source, content: true }))).toContain("SECRET");
});

/** What of a span's attributes the journal knows: not how a model was to choose its words. */
const kept = ({ attributes }: ReadableSpan) => expect.objectContaining(attributes);

/** A collector on loopback that is sent a document as an exporter would. */
async function listening() {
  const collected = await collector();
  return {
    spans: collected.spans,
    async send(document: object): Promise<void> {
      const response = await fetch(`${collected.url}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(document),
      });
      expect(response.ok).toBe(true);
    },
    [Symbol.asyncDispose]: () => collected.close(),
  };
}

import * as published from "@opentelemetry/semantic-conventions/incubating";
import { describe, expect, test } from "vitest";
import { convention, metricNames, modelWords, operations } from "./conventions.ts";

/** Every name that the package of the conventions has, by what it calls it. */
const names: { readonly [constant: string]: unknown } = { ...published };
const valuesOf = (prefix: string): unknown[] =>
  Object.entries(names).flatMap(([constant, value]) => (constant.startsWith(prefix) ? [value] : []));

describe("our constants are the published ones", () => {
  test.each(Object.values(convention))("attribute %s", (name) => {
    expect(valuesOf("ATTR_")).toContain(name);
  });

  test.each(Object.values(metricNames))("metric %s", (name) => {
    expect(valuesOf("METRIC_")).toContain(name);
  });

  test.each(Object.values(operations))("operation %s", (name) => {
    expect(valuesOf("GEN_AI_OPERATION_NAME_VALUE_")).toContain(name);
  });

  test.each(["openai", "anthropic", "google", "vertex", "bedrock", "azure", "mistral", "xai", "groq"])(
    "provider of %s:some-model",
    (name) => {
      const { provider, model } = modelWords(`${name}:some-model`);
      expect(valuesOf("GEN_AI_PROVIDER_NAME_VALUE_")).toContain(provider);
      expect(model).toBe("some-model");
    },
  );
});

test("a provider the conventions do not know keeps its own name, a model without one has none", () => {
  expect(modelWords("my:llama:8b")).toEqual({ provider: "my", model: "llama:8b" });
  expect(modelWords("llama")).toEqual({ provider: "_OTHER", model: "llama" });
});

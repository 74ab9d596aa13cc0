import { expect, test } from "vitest";
import { MissingPackageError } from "../../core/errors.ts";
import { metricsApp } from "./endpoints.ts";

test("without their packages there are no figures: what to install is said instead", async () => {
  const name = "@opentelemetry/exporter-prometheus";
  const missing = new MissingPackageError(`the package ${name} is not installed`, {
    hint: `npm install ${name}`,
  });
  const answer = await metricsApp({ missing }).request("/");
  expect([answer.status, await answer.text()]).toEqual([
    501,
    `the package ${name} is not installed. npm install ${name}\n`,
  ]);
});

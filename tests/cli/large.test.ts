import { expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const relaxed = ["--store", "memory:", "--quiet"];

test("50 MB of output come out whole, and again from the store", async () => {
  const folder = new Folder();
  const run = ["run", pipelines, "--export", "large", "--run-id", "big", "--quiet"];
  expect((await folder.flujo(...run, "--input-json", "50000000")).stdout.length).toBe(50_000_001);
  expect((await folder.flujo(...run)).stdout.length).toBe(50_000_001);
  const shown = (await folder.flujo("lens", "show", "big")).stdout;
  expect(shown).toContain("(50,000,002 characters, kept aside)");
  expect(shown.length).toBeLessThan(2_000);
});

test("100,000 map items", async () => {
  const { code, stdout } = await new Folder().flujo(
    "run",
    pipelines,
    "--export",
    "items",
    "--input-json",
    "100000",
    ...relaxed,
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: "333328333350000\n" });
});

test("a loop of 5,000 turns, told in a few lines", async () => {
  const { code, stdout, stderr } = await new Folder().flujo(
    ...["run", pipelines, "--export", "turns", "--input-json", "0", "--store", "memory:"],
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: "5000\n" });
  expect(stderr.split("\n").length).toBeLessThan(30);
});

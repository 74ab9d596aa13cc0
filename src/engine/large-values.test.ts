import { describe, expect, it } from "vitest";
import { mapOver, step } from "../core/compose.ts";
import { Flujo } from "../flujo.ts";
import { memory } from "../stores/memory.ts";

const text = "x".repeat(100_000);
const length = step("length", (value: string) => value.length);

describe("large values", () => {
  it("go in, between and out, and are kept once for each content", async () => {
    const store = memory();
    const kept: string[] = [];
    const commit = store.commit;
    store.commit = (appends) => {
      for (const { blobs } of appends) kept.push(...blobs.map(({ hash }) => hash));
      return commit(appends);
    };
    const echo = step("echo", (value: string) => value);
    const flujo = new Flujo(echo.to(step("same", (value: string) => value)), { store });
    expect(await flujo.run(text, { runId: "r" })).toMatchObject({ status: "completed", output: text });
    expect(await flujo.run(text, { runId: "r" })).toMatchObject({ status: "completed", output: text });
    const entries = JSON.stringify(await store.read("r", 0, 100));
    expect(entries.length).toBeLessThan(5_000);
    expect(new Set(kept).size).toBe(3); // the manifest, the outline, and the text
  });

  it("are mapped over, and a large output is read back from where its parts are", async () => {
    const store = memory();
    const flujo = new Flujo(
      mapOver(
        "all",
        length.to("pair", (n: number) => ({ n })),
      ),
      { store },
    );
    const input = Array.from({ length: 3_000 }, (_, i) => "y".repeat(i % 7));
    const output = input.map(({ length }) => ({ n: length }));
    expect(await flujo.run(input, { runId: "r" })).toMatchObject({ status: "completed", output });
    const last = (await store.read("r", 0, 100_000))?.at(-1);
    expect(last).toMatchObject({ type: "run-completed" });
    expect(last).not.toHaveProperty("output");
    expect(await flujo.resume("r").result()).toMatchObject({ status: "completed", output });
  });
});

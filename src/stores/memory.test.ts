import { describe, expect, it } from "vitest";
import { testStore } from "../testing/test-store.ts";
import { memory } from "./memory.ts";

testStore("memory", async () => ({ store: memory() }), { describe, it });

describe("memory", () => {
  it("says that it keeps nothing", () => {
    expect(memory()).toMatchObject({ name: "memory:", durability: "volatile" });
  });
});

import { describe, it } from "vitest";
import { nodeWorld } from "../node-world.ts";
import { testDispatcher } from "../testing/test-dispatcher.ts";
import { inProcess } from "./in-process.ts";

testDispatcher(
  "in process",
  async () => {
    const one = inProcess(nodeWorld());
    return { join: () => one };
  },
  { describe, it },
);

import { defineConfig } from "flujo";
import type { Sink } from "flujo/sinks";
import { post } from "./shop.ts";

/** A sink is one object with one function. What it throws means: try again, later. */
const board: Sink = {
  name: "board",
  async deliver({ id, runId, facts, links }) {
    const way = links?.approve === undefined ? "" : ` yes: ${links.approve} no: ${links.reject}`;
    post(`${id} ${runId} ${facts.type} ${facts.prompt ?? facts.errorCode ?? ""}${way}`);
  },
};

export default defineConfig({
  pipelines: ["refund.ts", "closing.ts"],
  budget: "$0.01",
  server: { publicUrl: process.env.DESK_URL ?? "http://127.0.0.1:3583" },
  sinks: { board },
});

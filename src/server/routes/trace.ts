import Type from "typebox";
import { tracedOperations } from "../../lens/trace.ts";
import { type House, journalOf } from "../house.ts";
import { TracePage } from "../operation-schemas.ts";
import { type Route, route } from "../route.ts";
import { limited, pageFrom, RunParams, valuesOf, Whole } from "./run.ts";

/** `GET /runs/{runId}/trace` */
export const traceRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/runs/{runId}/trace",
      name: "getTrace",
      summary:
        "All that a run has done, as a tree: values, what models were sent and said, what it cost, page by page",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object(
        { from: pageFrom, limit: limited(1_000, 100), whole: Whole },
        { additionalProperties: false },
      ),
      answers: { 200: { says: "A page of operations.", schema: TracePage } },
      refusals: [404],
    },
    async ({ params: { runId }, query: { from = 0, limit = 100, whole = false }, c }) => {
      const journal = await journalOf(house, runId);
      const all = journal.operations();
      const some = [...all.values()].slice(from, from + limit);
      const operations = await tracedOperations(some, all, journal, valuesOf(house, journal, whole));
      const end = from + operations.length;
      return c.json({ operations, total: all.size, next: end < all.size ? end : null });
    },
  ),
];

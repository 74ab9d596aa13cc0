import Type from "typebox";
import { diffRuns } from "../../lens/diff.ts";
import { type Trace, trace } from "../../lens/trace.ts";
import { RunDiff } from "../diff-schemas.ts";
import { type House, journalOf } from "../house.ts";
import { Refusal } from "../letter.ts";
import { type Route, route } from "../route.ts";
import { RunId } from "../schemas.ts";
import { RunParams } from "./run.ts";

/** Both runs are read whole, values and all: of more operations that is work for a command. */
const mostOperations = 5_000;

/** `GET /runs/{runId}/diff` */
export const compareRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/runs/{runId}/diff",
      name: "diffRuns",
      summary: "Two runs, step by step: what differs in inputs, outputs, messages, errors and cost",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object({ with: RunId }, { additionalProperties: false }),
      answers: { 200: { says: "What differs.", schema: RunDiff } },
      refusals: [404, 422],
    },
    async ({ params: { runId }, query: { with: other }, c }) =>
      c.json(await diffRuns(await traced(house, runId), await traced(house, other))),
  ),
];

/** @throws Refusal of a run with too many operations. */
async function traced(house: House, runId: string): Promise<Trace> {
  const journal = await journalOf(house, runId);
  const count = journal.operations().size;
  if (count > mostOperations) {
    throw new Refusal(
      422,
      "too-large",
      `run ${runId} has ${count} operations, and runs of at most ${mostOperations} are compared here`,
      "flujo lens diff compares runs of any size.",
    );
  }
  return trace(runId, [...journal.entries], ({ hash }) => house.store.blob(hash));
}

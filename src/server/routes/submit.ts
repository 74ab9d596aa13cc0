import type { Duration } from "../../core/duration.ts";
import type { Budget as BudgetTerms, Usd } from "../../core/limits.ts";
import { type House, journalOf, notServed } from "../house.ts";
import { SubmitRequest, Submitted } from "../request-schemas.ts";
import { type Route, route } from "../route.ts";
import { refuseAnother } from "./runs.ts";

/** `POST /submissions` */
export const submitRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "post",
      path: "/submissions",
      name: "submitRun",
      summary:
        "Make a run for whichever worker takes it; with a run id of your own, once however often you ask",
      tag: "runs",
      role: "operator",
      body: SubmitRequest,
      answers: {
        202: { says: "It is recorded, and waits for a worker.", schema: Submitted },
        200: {
          says: "A run of this id was there already, and began with the same input.",
          schema: Submitted,
        },
      },
      refusals: [409],
    },
    async ({ body, c }) => {
      const { pipeline, input, budget, delay, runId = house.world.id(), ...terms } = body;
      const service = house.services.get(pipeline);
      if (service === undefined) throw notServed(house, pipeline);
      if ((await house.journals.of(runId)) !== undefined) await refuseAnother(house, service, runId, input);
      const { isNew, untold } = await service.flujo.submit(input, {
        ...terms,
        runId,
        ...(delay === undefined ? {} : { delay: delay as Duration }), // these two are read by the engine, which refuses what is none
        ...(budget === undefined ? {} : { budget: budget as Usd | BudgetTerms }),
      });
      const { run } = await journalOf(house, runId);
      c.header("Location", `/api/v1/runs/${runId}`);
      const { status, next } = run;
      return c.json({ runId, pipeline, status, next, untold: untold?.message ?? null }, isNew ? 202 : 200);
    },
  ),
];

import Type from "typebox";
import { versionOf } from "../../core/fingerprint.ts";
import type { Budget, Usd } from "../../core/limits.ts";
import { improvablesOf, type Overlay } from "../../core/overlay.ts";
import { agentAt, settingAt } from "../../core/overlay-at.ts";
import { overlayOf } from "../../engine/recorded-overlay.ts";
import { overlaidRoot } from "../../engine/root.ts";
import type { OpenJournal } from "../../lens/journals.ts";
import { ReplayReport, ReplayRequest } from "../figure-schemas.ts";
import { type House, journalOf, notServed, type Service, serviceOf } from "../house.ts";
import { Refusal } from "../letter.ts";
import { Acted, ForkRequest, Improvables } from "../request-schemas.ts";
import { type Route, route } from "../route.ts";
import { RunPath } from "../schemas.ts";
import { RunParams } from "./run.ts";
import { acted, startOnce } from "./runs.ts";

/** From a run to another: `GET /runs/{runId}/improvables`, `POST /runs/{runId}/replay`, `/fork` */
export const forkRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/runs/{runId}/improvables",
      name: "getImprovables",
      summary: "What a fork of a run can change: prompts, models and settings of its agents",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object({ at: Type.Optional(RunPath) }, { additionalProperties: false }),
      answers: { 200: { says: "The agents.", schema: Improvables } },
      refusals: [404, 409],
    },
    async ({ params: { runId }, query: { at }, c }) => {
      const journal = await journalOf(house, runId);
      const { root } = serviceFor(house, journal);
      const { node } = await overlaidRoot(root, await overlayOf(journal.run.created, house.store));
      return c.json({
        agents: improvablesOf(node),
        at: at === undefined ? null : (agentAt(node, at) ?? null),
        current: versionOf(node).fingerprint === journal.run.fingerprint,
      });
    },
  ),

  route(
    {
      method: "post",
      path: "/runs/{runId}/replay",
      name: "replayRun",
      summary:
        "Walk a run again on its record, with the code that is served, and say what that would do otherwise",
      tag: "runs",
      role: "operator",
      params: RunParams,
      body: ReplayRequest,
      answers: { 200: { says: "What differs; no model or tool was called.", schema: ReplayReport } },
      refusals: [404, 409],
    },
    async ({ params: { runId }, body, c }) => {
      const { flujo } = serviceFor(house, await journalOf(house, runId));
      return c.json(await flujo.replay(runId, body));
    },
  ),

  route(
    {
      method: "post",
      path: "/runs/{runId}/fork",
      name: "forkRun",
      summary:
        "Start a new run that shares what a run has recorded before a point, and pays only for what follows",
      tag: "runs",
      role: "operator",
      params: RunParams,
      body: ForkRequest,
      answers: {
        202: { says: "The new run is recorded, and under way.", schema: Acted },
        200: { says: "A run of this id was there already, and is a fork at this point.", schema: Acted },
      },
      refusals: [404, 409],
    },
    async ({ params: { runId: from }, body, c }) => {
      const { at, runId = house.world.id(), input, overlay = [], budget, forceVersion } = body;
      const { prompt, system, model } = body;
      const { root, flujo } = serviceFor(house, await journalOf(house, from));
      const sets = Object.entries({ prompt, system, model }).flatMap(([field, value]) =>
        value === undefined ? [] : [settingAt(root.node, at, field, value)],
      );
      const isNew = await startOnce(house, runId, () =>
        flujo.fork(from, {
          at,
          runId,
          overlay: [...(overlay as Overlay), ...sets], // each operation is looked at when it is applied
          ...(input === undefined ? {} : { input }),
          ...(budget === undefined ? {} : { budget: budget as Usd | Budget }), // read by the engine, which refuses what is none
          ...(forceVersion === undefined ? {} : { forceVersion }),
        }),
      );
      if (!isNew) await refuseAnother(house, runId, from, at);
      return acted(house, runId, c, isNew ? 202 : 200);
    },
  ),
];

/** @throws Refusal */
function serviceFor(house: House, journal: OpenJournal): Service {
  const service = serviceOf(house, journal);
  if (service === undefined) throw notServed(house, journal.run.created?.pipeline ?? "");
  return service;
}

/** @throws Refusal when the run of this id is another than the one asked for. */
async function refuseAnother(house: House, runId: string, from: string, at: string): Promise<void> {
  const { forkedFrom } = (await journalOf(house, runId)).run.created ?? {};
  if (forkedFrom?.runId === from && forkedFrom.at === at) return;
  const message = `run ${runId} exists, and is not a fork of ${from} at ${at}`;
  throw new Refusal(409, "run-exists", message, "Choose another run id, or leave it out.");
}

import type { Context } from "hono";
import Type from "typebox";
import { encode } from "../../core/codec.ts";
import { FlujoError } from "../../core/errors.ts";
import type { Budget as BudgetTerms, Usd } from "../../core/limits.ts";
import { equal } from "../../core/state.ts";
import type { RunHandle, StartOptions } from "../../engine/options.ts";
import { fittingInput } from "../../engine/root.ts";
import { fetchJson } from "../../engine/values.ts";
import { type House, journalOf, notServed, type Service } from "../house.ts";
import { Refusal } from "../letter.ts";
import { Acted, StartRequest } from "../request-schemas.ts";
import { type Route, route } from "../route.ts";
import { pageOfRuns } from "../run-list.ts";
import { RunPage } from "../run-schemas.ts";
import { Status } from "../schemas.ts";

const ListQuery = Type.Object(
  {
    status: Type.Optional(Type.Array(Status, { description: "Only runs that stand so; may be repeated." })),
    pipeline: Type.Optional(Type.String({ description: "Only runs of this pipeline." })),
    idPrefix: Type.Optional(Type.String({ maxLength: 128, description: "Only runs whose id begins so." })),
    createdFrom: Type.Optional(
      Type.String({ format: "date-time", description: "Only runs made then or later." }),
    ),
    createdBefore: Type.Optional(Type.String({ format: "date-time", description: "Only runs made before." })),
    trials: Type.Optional(
      Type.Boolean({
        description:
          "Whether trials of experiments are among them. Default true. Without them a page may be short, or empty, and not the last one.",
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: "Default 100." })),
    cursor: Type.Optional(Type.String({ maxLength: 200, description: "`next` of the page before." })),
  },
  { additionalProperties: false },
);

/** `GET /runs`, `POST /runs` */
export const runsRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/runs",
      name: "listRuns",
      summary: "The runs of the store, newest first, page by page",
      tag: "runs",
      role: "viewer",
      query: ListQuery,
      answers: { 200: { says: "A page of runs.", schema: RunPage } },
    },
    async ({ query, c }) => {
      const { limit = 100, trials = true, cursor, createdFrom, createdBefore, ...filter } = query;
      const { runs, last } = await pageOfRuns(house, {
        ...filter,
        ...{ limit, trials },
        ...(createdFrom === undefined ? {} : { createdFrom: momentIn(createdFrom) }),
        ...(createdBefore === undefined ? {} : { createdBefore: momentIn(createdBefore) }),
        ...(cursor === undefined ? {} : { after: placeIn(cursor) }),
      });
      return c.json({
        runs,
        next: last === undefined ? null : `${last.createdAt}.${last.runId}`,
      });
    },
  ),

  route(
    {
      method: "post",
      path: "/runs",
      name: "startRun",
      summary: "Start a run; with a run id of your own, once however often you ask",
      tag: "runs",
      role: "operator",
      body: StartRequest,
      answers: {
        202: { says: "It is recorded, and under way.", schema: Acted },
        200: { says: "A run of this id was there already, and began with the same input.", schema: Acted },
      },
      refusals: [409],
    },
    async ({ body, c }) => {
      const { pipeline, input, runId = house.world.id(), budget, scopes } = body;
      const service = house.services.get(pipeline);
      if (service === undefined) throw notServed(house, pipeline);
      const options: StartOptions = {
        runId,
        onlyNew: true,
        ...(budget === undefined ? {} : { budget: budget as Usd | BudgetTerms }), // read by the engine, which refuses what is none
        ...(scopes === undefined ? {} : { scopes }),
      };
      const isNew = await startOnce(house, runId, () => service.flujo.start(input, options));
      if (!isNew) await refuseAnother(house, service, runId, input);
      return acted(house, runId, c, isNew ? 202 : 200);
    },
  ),
];

/**
 * Waits until something new is recorded of a run, or it has come to stand.
 *
 * @param next the number of what would be new.
 * @throws why it was refused.
 */
export async function begun(handle: RunHandle<unknown>, next: number): Promise<void> {
  const events = handle.eventsFrom(next)[Symbol.asyncIterator]();
  const first = await events.next();
  if (first.done) await handle.result();
  else await events.return?.();
}

/** How a run stands now, as the answer to a request that changed it. */
export async function acted(house: House, runId: string, c: Context, status: 200 | 202): Promise<Response> {
  const { run } = await journalOf(house, runId);
  c.header("Location", `/api/v1/runs/${runId}`);
  return c.json({ runId, pipeline: run.created?.pipeline ?? "", status: run.status, next: run.next }, status);
}

/** @throws Refusal */
export function momentIn(date: string): number {
  const moment = Date.parse(date);
  if (!Number.isNaN(moment)) return moment;
  throw new Refusal(
    400,
    "invalid-request",
    `${JSON.stringify(date)} is no date`,
    "Write 2026-01-31T09:00:00Z",
  );
}

/** @throws Refusal */
export function placeIn(cursor: string): { readonly createdAt: number; readonly runId: string } {
  const [, createdAt, runId] = /^(\d{1,15})\.([\w.-]+)$/.exec(cursor) ?? [];
  if (createdAt !== undefined && runId !== undefined) return { createdAt: Number(createdAt), runId };
  throw new Refusal(
    400,
    "invalid-request",
    `${JSON.stringify(cursor)} is no cursor`,
    "Take `next` of the page before.",
  );
}

/**
 * Starts a run of which nothing is recorded. One that is there is left as it stands: whoever asks twice, to be sure, does
 * not want it to be tried again.
 *
 * @returns whether it is new.
 */
export async function startOnce(
  house: House,
  runId: string,
  start: () => RunHandle<unknown>,
): Promise<boolean> {
  const { journals, starting } = house;
  for (;;) {
    if ((await journals.of(runId)) !== undefined) return false;
    const other = starting.get(runId);
    if (other === undefined) break;
    await other.catch(() => {}); // it is told by the request that began it
  }
  const beginning = start().begun();
  starting.set(runId, beginning);
  try {
    await beginning;
    return true;
  } catch (error) {
    const code = FlujoError.isInstance(error) ? error.code : "";
    if (code === "run-exists" || (code === "lease-held" && (await isRecordedSoon(house, runId))))
      return false;
    throw error;
  } finally {
    starting.delete(runId);
  }
}

const looks = 20;
const betweenLooksMs = 50;

/** Whether another process, which has made a run at this very moment, records it. */
async function isRecordedSoon({ journals, world }: House, runId: string): Promise<boolean> {
  for (let look = 0; look < looks; look++) {
    if ((await journals.of(runId)) !== undefined) return true;
    await new Promise<void>((resolve) => void world.timer(betweenLooksMs, resolve));
  }
  return false;
}

/** @throws Refusal when the run of this id is another than the one asked for. */
export async function refuseAnother(
  house: House,
  service: Service,
  runId: string,
  input: unknown,
): Promise<void> {
  const { created } = (await journalOf(house, runId)).run;
  if (created?.pipeline !== service.name) {
    const message = `run ${runId} exists, and is not of the pipeline ${service.name}`;
    throw new Refusal(409, "run-exists", message, "Choose another run id.");
  }
  if (input === undefined) return;
  const asked = encode(await fittingInput(service.root, input), "input").json;
  if (equal(asked, await fetchJson(created.input, house.store))) return;
  throw new Refusal(
    409,
    "run-exists",
    `run ${runId} exists, and began with another input`,
    "Choose another run id.",
  );
}

import Type from "typebox";
import { followEvents } from "../../engine/run-events.ts";
import { eventView } from "../../lens/event.ts";
import { type House, journalOf, serviceOf } from "../house.ts";
import { Refusal } from "../letter.ts";
import { type Route, route } from "../route.ts";
import { lineOf } from "../run-list.ts";
import { Event, RunLine } from "../run-schemas.ts";
import type { Message } from "../streams.ts";
import { RunParams } from "./run.ts";

/** `GET /events`, `GET /runs/{runId}/events` */
export const followRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/events",
      name: "followRuns",
      summary:
        "Runs as they change, each as it then stands; `Last-Event-ID` goes on where a reader was cut off",
      tag: "events",
      role: "viewer",
      query: Type.Object(
        {
          past: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 60_000,
              description:
                "Also those that have changed in the last milliseconds, so many, for a reader that asked how runs stand before it followed them. Default: none.",
            }),
          ),
        },
        { additionalProperties: false },
      ),
      answers: { 200: { says: "Server-sent events.", schema: RunLine, stream: true } },
    },
    async ({ query: { past }, c }) => {
      const begun = past === undefined ? undefined : house.world.now() - past;
      const since = numberIn(c.req.header("last-event-id")) ?? begun;
      return house.streams.answer(c, async function* (signal): AsyncGenerator<Message> {
        for await (const run of house.feed.changes(signal, since)) {
          yield { id: String(run.updatedAt), data: JSON.stringify(await lineOf(house, run)) };
        }
      });
    },
  ),

  route(
    {
      method: "get",
      path: "/runs/{runId}/events",
      name: "followRun",
      summary:
        "The events of a run, then live, until it has come to stand: an event `end` says how. `Last-Event-ID` goes on where a reader was cut off",
      tag: "events",
      role: "viewer",
      params: RunParams,
      query: Type.Object(
        {
          from: Type.Optional(
            Type.Integer({ minimum: 0, description: "The number of the first event wanted. Default 0." }),
          ),
        },
        { additionalProperties: false },
      ),
      answers: {
        200: {
          says: "Server-sent events; their ids are the numbers of the run's events.",
          schema: Event,
          stream: true,
        },
        204: { says: "The run stands, and the reader has had its last event: come back when it is resumed." },
      },
      refusals: [404],
    },
    async ({ params: { runId }, query: { from = 0 }, c }) => {
      const last = numberIn(c.req.header("last-event-id"));
      const first = last === undefined ? from : last + 1;
      const journal = await journalOf(house, runId);
      if (journal.run.status !== "running" && first >= journal.run.next) return c.body(null, 204);
      const service = serviceOf(house, journal);
      return house.streams.answer(c, async function* (signal): AsyncGenerator<Message> {
        const events =
          service === undefined
            ? followEvents({ ...house, ticker: () => undefined }, runId, first, signal)
            : service.flujo.events(runId, { from: first, signal });
        for await (const event of events)
          yield { id: String(event.seq), data: JSON.stringify(eventView(event)) };
        if (signal.aborted) return;
        const { run } = await journalOf(house, runId);
        yield { event: "end", data: JSON.stringify({ status: run.status, next: run.next }) };
      });
    },
  ),
];

/** @throws Refusal */
function numberIn(id: string | undefined): number | undefined {
  if (id === undefined || id === "") return undefined;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new Refusal(
    400,
    "invalid-request",
    `Last-Event-ID is ${JSON.stringify(id)}, and no event has such an id`,
  );
}

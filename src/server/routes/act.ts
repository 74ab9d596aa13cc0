import { RunEndedError } from "../../core/errors.ts";
import { type Budget, limitsOf, type Usd } from "../../core/limits.ts";
import { isEnded } from "../../core/run-record.ts";
import { cancelRun } from "../../engine/cancel.ts";
import { topUpRun } from "../../engine/raises.ts";
import { sendSignal } from "../../engine/signals.ts";
import { listingOf } from "../../lens/list.ts";
import type { Caller } from "../caller.ts";
import { type House, journalOf, notServed, serviceOf } from "../house.ts";
import { Refusal } from "../letter.ts";
import { Acted, CancelRequest, ResumeRequest, SignalRequest, TopUpRequest } from "../request-schemas.ts";
import { type Route, route } from "../route.ts";
import { RunParams } from "./run.ts";
import { acted, begun } from "./runs.ts";

const terms = { method: "post", tag: "runs", role: "operator", params: RunParams } as const;

/** What changes a run: `POST /runs/{runId}/signals`, `/cancel`, `/resume`, `/top-up` */
export const actRoutes = (house: House): readonly Route[] => [
  route(
    {
      ...terms,
      path: "/runs/{runId}/signals",
      name: "sendSignal",
      summary: "Answer what a run asks, or send it an event; it goes on at once where it is served",
      body: SignalRequest,
      answers: { 202: { says: "The run has it.", schema: Acted } },
      refusals: [404, 409],
    },
    async ({ params: { runId }, body: { path, data = null, by }, caller, c }) => {
      const service = serviceOf(house, await journalOf(house, runId));
      const who = nameOf(caller, by);
      if (service === undefined) {
        const { store, world } = house;
        await sendSignal({ store, world, tree: undefined }, runId, path, data, { by: who });
      } else {
        await service.flujo.signal(runId, path, data, {
          resume: true,
          ...(who === undefined ? {} : { by: who }),
        });
      }
      return acted(house, runId, c, 202);
    },
  ),

  route(
    {
      ...terms,
      path: "/runs/{runId}/cancel",
      name: "cancelRun",
      summary: "Stop a run for good, wherever it runs; calls already paid for are kept",
      body: CancelRequest,
      answers: {
        202: {
          says: "It is cancelled; or whoever advances it, or has to undo what it did, was told.",
          schema: Acted,
        },
      },
      refusals: [404, 409],
    },
    async ({ params: { runId }, body: { reason = "cancelled" }, caller, c }) => {
      const journal = await journalOf(house, runId);
      if (isEnded(journal.run)) throw ended(runId, journal.run.status);
      const service = serviceOf(house, journal);
      const why = caller.name === undefined ? reason : `${reason} (by ${caller.name})`;
      if (service === undefined) {
        await cancelRun(house.store, house.world, runId, why, (entries) =>
          house.outbox?.hear(runId, entries),
        );
      } else {
        await patiently(house, service.flujo.cancel(runId, why));
      }
      return acted(house, runId, c, 202);
    },
  ),

  route(
    {
      ...terms,
      path: "/runs/{runId}/resume",
      name: "resumeRun",
      summary:
        "Go on with a run that failed, halted or waits, perhaps with a new limit; what is spent stays spent",
      body: ResumeRequest,
      answers: { 202: { says: "It goes on.", schema: Acted } },
      refusals: [404, 409],
    },
    async ({ params: { runId }, body: { budget, forceVersion }, c }) => {
      const journal = await journalOf(house, runId);
      const { run } = journal;
      if (isEnded(run)) throw ended(runId, run.status);
      const service = serviceOf(house, journal);
      if (service === undefined) throw notServed(house, run.created?.pipeline ?? "");
      if (run.status === "running") await refuseAdvanced(house, runId, run.created?.at ?? 0);
      const handle = service.flujo.resume(runId, {
        ...(budget === undefined ? {} : { budget: budget as Usd | Budget }), // read by the engine, which refuses what is none
        ...(forceVersion === undefined ? {} : { forceVersion }),
      });
      await patiently(house, begun(handle, run.next));
      return acted(house, runId, c, 202);
    },
  ),

  route(
    {
      ...terms,
      path: "/runs/{runId}/top-up",
      name: "topUpRun",
      summary: "Raise the limits of a run by so much each; one that halted waits to be resumed",
      body: TopUpRequest,
      answers: {
        202: {
          says: "The limits are raised, or its owner was told and does so within a second.",
          schema: Acted,
        },
      },
      refusals: [404, 409],
    },
    async ({ params: { runId }, body, c }) => {
      const journal = await journalOf(house, runId);
      const by = body.by as Usd | Budget; // as above
      const service = serviceOf(house, journal);
      if (service === undefined) await topUpRun(house.store, house.world, runId, limitsOf(by));
      else await service.flujo.topUp(runId, by);
      return acted(house, runId, c, 202);
    },
  ),
];

/** Who is recorded: who they say they are, and by whose token. */
function nameOf({ name }: Caller, by: string | undefined): string | undefined {
  if (name === undefined || by === undefined) return name ?? by;
  return by === name ? name : `${by} (token ${name})`;
}

/** How long a request waits for word of what it asked for, in milliseconds. What is not refused by then is under way. */
const patienceMs = 2_000;

/** Waits a while for what may take as long as a call that is paid for already, or another process that has the run. */
async function patiently({ world }: House, work: Promise<void>): Promise<void> {
  let off = (): void => {};
  const enough = new Promise<void>((resolve) => {
    off = world.timer(patienceMs, resolve, { background: true });
  });
  try {
    await Promise.race([work, enough]);
  } finally {
    off();
    work.catch(() => {}); // the run says what became of it
  }
}

/** @throws Refusal when a living process advances the run. */
async function refuseAdvanced({ store, world }: House, runId: string, createdAt: number): Promise<void> {
  const lease = (await listingOf(store, runId, createdAt))?.lease;
  if (lease === undefined || lease.expiresAt <= world.now() || world.isGone(lease.owner)) return;
  throw new Refusal(
    409,
    "running",
    `run ${runId} is being advanced already`,
    `POST /api/v1/runs/${runId}/top-up raises its limits while it runs.`,
  );
}

const ended = (runId: string, status: string): RunEndedError =>
  new RunEndedError(`run ${runId} has ended: it is ${status}`, { runId });

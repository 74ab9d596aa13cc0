import Type from "typebox";
import type { Budget, Usd } from "../../core/limits.ts";
import { fittingInput } from "../../engine/root.ts";
import type { Store } from "../../ports/store.ts";
import { addSchedule, changeKnown, removeSchedule, scheduleNamed } from "../../schedules/plan.ts";
import { newSchedule, paused, unpaused } from "../../schedules/schedule.ts";
import { nextTicks, ticksOf } from "../../schedules/ticks.ts";
import { scheduleView, scheduleViews } from "../../schedules/view.ts";
import { ScheduleAdded, ScheduleList, SchedulePaused, ScheduleRemoved } from "../besides-schemas.ts";
import { type House, notServed } from "../house.ts";
import { Refusal } from "../letter.ts";
import { ScheduleRequest } from "../request-schemas.ts";
import { type Route, route } from "../route.ts";

const ScheduleParams = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
);
const changing = { method: "post", tag: "schedules", role: "operator", params: ScheduleParams } as const;

const shownTicks = 5;

/** `GET /schedules`, `POST /schedules`, `POST /schedules/{name}/pause`, `/unpause`, `/remove` */
export const scheduleRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/schedules",
      name: "listSchedules",
      summary: "Schedules: when each runs next, and how its last run stands",
      tag: "schedules",
      role: "viewer",
      answers: { 200: { says: "The schedules, by name.", schema: ScheduleList } },
    },
    async ({ c }) => c.json({ schedules: await scheduleViews(house.store, house.world.now()) }),
  ),

  route(
    {
      method: "post",
      path: "/schedules",
      name: "addSchedule",
      summary: "Run a pipeline at each tick of a cron expression, from now on",
      tag: "schedules",
      role: "operator",
      body: ScheduleRequest,
      answers: { 201: { says: "It is there, and its first ticks.", schema: ScheduleAdded } },
      refusals: [409],
    },
    async ({ body, caller, c }) => {
      const { store, services, world } = house;
      const { pipeline, name = pipeline, input = null, budget, cron, timeZone, missed, overlap } = body;
      const service = services.get(pipeline);
      if (service === undefined) throw notServed(house, pipeline);
      await fittingInput(service.root, input);
      const now = world.now();
      const schedule = newSchedule(
        { name, pipeline, input, ...(caller.name === undefined ? {} : { by: caller.name }) },
        {
          cron,
          ...(timeZone === undefined ? {} : { timeZone }),
          ...(budget === undefined ? {} : { budget: budget as Usd | Budget }), // read as that of a run, and refused when it is none
          ...(missed === undefined ? {} : { missed }),
          ...(overlap === undefined ? {} : { overlap }),
        },
        now,
      );
      if ((await scheduleNamed(store, name)) !== undefined) throw taken(name);
      await addSchedule(store, schedule);
      const ticks = nextTicks(ticksOf(schedule.cron, schedule.timeZone), now, shownTicks);
      const view = scheduleView(schedule, now, undefined);
      return c.json({ schedule: view, ticks: ticks.map((tick) => new Date(tick).toISOString()) }, 201);
    },
  ),

  route(
    {
      ...changing,
      path: "/schedules/{name}/remove",
      name: "removeSchedule",
      summary: "Forget a schedule; runs that it has started stay, and go on",
      answers: { 200: { says: "It is gone.", schema: ScheduleRemoved } },
      refusals: [404],
    },
    async ({ params: { name }, c }) => {
      await refuseUnknown(house.store, name);
      await removeSchedule(house.store, name);
      return c.json({ name, removed: true });
    },
  ),

  route(
    {
      ...changing,
      path: "/schedules/{name}/pause",
      name: "pauseSchedule",
      summary: "Let ticks pass by, until it is unpaused; runs that have started go on",
      answers: { 200: { says: "It is paused.", schema: SchedulePaused } },
      refusals: [404],
    },
    async ({ params: { name }, c }) => {
      await refuseUnknown(house.store, name);
      await changeKnown(house.store, name, paused);
      return c.json({ name, paused: true });
    },
  ),

  route(
    {
      ...changing,
      path: "/schedules/{name}/unpause",
      name: "unpauseSchedule",
      summary: "Go on with a schedule, from its next tick",
      answers: { 200: { says: "It goes on.", schema: SchedulePaused } },
      refusals: [404],
    },
    async ({ params: { name }, c }) => {
      await refuseUnknown(house.store, name);
      const now = house.world.now();
      await changeKnown(house.store, name, (before) => unpaused(before, now));
      return c.json({ name, paused: false });
    },
  ),
];

/** @throws Refusal */
async function refuseUnknown(store: Store, name: string): Promise<void> {
  if ((await scheduleNamed(store, name)) !== undefined) return;
  const hint = "GET /api/v1/schedules lists them.";
  throw new Refusal(404, "unknown-schedule", `there is no schedule ${JSON.stringify(name)}`, hint);
}

const taken = (name: string): Refusal =>
  new Refusal(
    409,
    "schedule-exists",
    `there is a schedule ${JSON.stringify(name)} already`,
    "Give this one another name, or remove that one first.",
  );

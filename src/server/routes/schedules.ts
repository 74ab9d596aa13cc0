import Type from "typebox";
import type { Store } from "../../ports/store.ts";
import { changeKnown, scheduleNamed } from "../../schedules/plan.ts";
import { paused, unpaused } from "../../schedules/schedule.ts";
import { scheduleViews } from "../../schedules/view.ts";
import { ScheduleList, SchedulePaused } from "../besides-schemas.ts";
import type { House } from "../house.ts";
import { Refusal } from "../letter.ts";
import { type Route, route } from "../route.ts";

const ScheduleParams = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
);
const pausing = { method: "post", tag: "schedules", role: "operator", params: ScheduleParams } as const;

/** `GET /schedules`, `POST /schedules/{name}/pause`, `/unpause` */
export const scheduleRoutes = ({ store, world }: House): readonly Route[] => [
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
    async ({ c }) => c.json({ schedules: await scheduleViews(store, world.now()) }),
  ),

  route(
    {
      ...pausing,
      path: "/schedules/{name}/pause",
      name: "pauseSchedule",
      summary: "Let ticks pass by, until it is unpaused; runs that have started go on",
      answers: { 200: { says: "It is paused.", schema: SchedulePaused } },
      refusals: [404],
    },
    async ({ params: { name }, c }) => {
      await refuseUnknown(store, name);
      await changeKnown(store, name, paused);
      return c.json({ name, paused: true });
    },
  ),

  route(
    {
      ...pausing,
      path: "/schedules/{name}/unpause",
      name: "unpauseSchedule",
      summary: "Go on with a schedule, from its next tick",
      answers: { 200: { says: "It goes on.", schema: SchedulePaused } },
      refusals: [404],
    },
    async ({ params: { name }, c }) => {
      await refuseUnknown(store, name);
      const now = world.now();
      await changeKnown(store, name, (before) => unpaused(before, now));
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

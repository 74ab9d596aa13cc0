import type { Store } from "../../ports/store.ts";
import type { World } from "../../ports/world.ts";
import { type Starter, startTick } from "../../schedules/start-tick.ts";
import { Timetable, type TimetableNews } from "../../schedules/timetable.ts";
import type { Tell } from "./happening.ts";

/** What fires the schedules of an application. */
interface Firing {
  readonly store: Store;
  readonly world: World;
  /** By the name of the pipeline: schedules of others are left to others. */
  readonly starters: ReadonlyMap<string, Starter>;
  readonly tell: Tell;
}

export const timetableOf = ({ store, world, starters, tell }: Firing): Timetable =>
  new Timetable({
    store,
    world,
    serves: ({ pipeline }) => starters.has(pipeline),
    start: (schedule, tick) => startTick(starters.get(schedule.pipeline) as Starter, schedule, tick), // it serves no others
    onNews: (news) => {
      const message = troubleIn(news);
      if (message !== undefined) tell({ type: "trouble", message });
    },
  });

/** What people should know of it. Runs that are started tell of themselves. */
function troubleIn(news: TimetableNews): string | undefined {
  switch (news.what) {
    case "started":
      return undefined;
    case "refused": {
      const { tick, message } = news.refusal;
      return `schedule ${news.schedule.name} started no run for ${iso(tick)}: ${message}`;
    }
    case "delayed":
      return `schedule ${news.schedule.name} starts its run for ${iso(news.tick)} later: ${news.error.message}`;
    case "passed-over": {
      const { schedule, missed, overlapping } = news;
      const parts = [
        ...(missed > 0 ? [`${missed} that nobody was there for`] : []),
        ...(overlapping > 0 ? [`${overlapping} that met the run of an earlier one`] : []),
      ];
      return `schedule ${schedule.name} passes over ticks: ${parts.join(", ")}`;
    }
    case "trouble": {
      const what = news.schedule === undefined ? "schedules wait" : `schedule ${news.schedule.name} waits`;
      return `${what}: ${wordsIn(news.error)}`;
    }
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
const wordsIn = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The schedules of a store: notes whose keys begin with `schedule/`. */
import { InvalidOptionError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Note, Store } from "../ports/store.ts";
import { type Schedule, withTerms } from "./schedule.ts";

/** A schedule with the version of its note, which changes with it. */
export interface Standing {
  readonly schedule: Schedule;
  readonly version: string;
}

const prefix = "schedule/";
/** A change that loses against others is tried so often: each time somebody else got on. */
const mostTries = 100;

/** All there are, by name, page by page. */
export async function* schedulesIn(store: Store): AsyncGenerator<Standing> {
  for (let after = ""; ; ) {
    const notes = await store.notes({ prefix, after });
    yield* notes.map(standingOf);
    const last = notes.at(-1);
    if (last === undefined) return;
    after = last.key;
  }
}

export async function scheduleNamed(store: Store, name: string): Promise<Standing | undefined> {
  const key = prefix + name;
  const [note] = await store.notes({ prefix: key, limit: 1 }); // a key comes before those it begins
  return note?.key === key ? standingOf(note) : undefined;
}

/** Adds a schedule, or gives the one of that name its terms. @throws InvalidOptionError when that is another pipeline's. */
export async function setSchedule(store: Store, schedule: Schedule): Promise<void> {
  const { name, pipeline } = schedule;
  for (let isSet = false; !isSet; ) {
    const standing = await scheduleNamed(store, name);
    const before = standing?.schedule.pipeline ?? pipeline;
    if (before !== pipeline) {
      throw new InvalidOptionError(
        `the schedule ${name} in ${store.name} is one of the pipeline "${before}"`,
        {
          hint: `Choose another name, or remove that one first: flujo schedule remove ${name}`,
        },
      );
    }
    isSet =
      standing === undefined
        ? await put(store, schedule, undefined)
        : await replaceSchedule(store, standing, withTerms(standing.schedule, schedule));
  }
}

/** `changeSchedule`. @throws InvalidOptionError when there is none of that name. */
export async function changeKnown(
  store: Store,
  name: string,
  how: (schedule: Schedule) => Schedule,
): Promise<Schedule> {
  return (await changeSchedule(store, name, how)) ?? (await knownSchedule(store, name)).schedule;
}

/** @throws InvalidOptionError when there is none of that name. */
export async function knownSchedule(store: Store, name: string): Promise<Standing> {
  const standing = await scheduleNamed(store, name);
  if (standing !== undefined) return standing;
  throw new InvalidOptionError(`there is no schedule ${name} in ${store.name}`, {
    hint: "flujo schedule list shows them; --store or FLUJO_STORE names another store.",
  });
}

/** @throws InvalidOptionError when there is one of that name. */
export async function addSchedule(store: Store, schedule: Schedule): Promise<void> {
  if (await put(store, schedule, undefined)) return;
  const { name } = schedule;
  throw new InvalidOptionError(`there is a schedule ${name} in ${store.name} already`, {
    hint: `Change it with --replace, remove it (flujo schedule remove ${name}), or choose another --name.`,
  });
}

/** False when somebody has changed or removed it since. */
export const replaceSchedule = (store: Store, { version }: Standing, schedule: Schedule): Promise<boolean> =>
  put(store, schedule, version);

/**
 * Changes a schedule as `how` says, which may be asked again: others change it, too. Undefined when there is none of that
 * name (any more).
 */
export async function changeSchedule(
  store: Store,
  name: string,
  how: (schedule: Schedule) => Schedule,
): Promise<Schedule | undefined> {
  for (let tries = 0; tries < mostTries; tries++) {
    const standing = await scheduleNamed(store, name);
    if (standing === undefined) return undefined;
    const changed = how(standing.schedule);
    if (changed === standing.schedule || (await replaceSchedule(store, standing, changed))) return changed;
  }
  throw new InvalidOptionError(`schedule ${name} is being changed by others all the time`, {
    retryable: true,
    hint: "Try again.",
  });
}

/** Runs that it has started go on. @throws InvalidOptionError when there is none of that name. */
export async function removeSchedule(store: Store, name: string): Promise<void> {
  for (let gone = false; !gone; ) {
    const { version } = await knownSchedule(store, name);
    gone = await store.dropNote(prefix + name, version);
  }
}

async function put(store: Store, schedule: Schedule, seen: string | undefined): Promise<boolean> {
  const value = { ...schedule } as unknown as Json; // a schedule is JSON by construction
  return (await store.putNote(prefix + schedule.name, value, seen)) !== undefined;
}

function standingOf({ value, version }: Note): Standing {
  return { schedule: value as unknown as Schedule, version }; // as `put` put it
}

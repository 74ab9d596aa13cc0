import { InvalidOptionError } from "../core/errors.ts";

/**
 * The run of a tick: `weekly-20261130T080000Z`. The tick has a fixed width at the end, so no two schedules can come to the
 * same id, whatever their names; and whoever starts the run of a tick, however often, starts the same one.
 */
export function tickRunId(name: string, tick: number): string {
  return `${name}-${new Date(tick).toISOString().replace(/[-:]|\.\d+/g, "")}`;
}

/** A run of a schedule outside of its plan. Ids of worlds are longer than ticks, and end otherwise. */
export const extraRunId = (name: string, id: string): string => `${name}-${id}`;

/** @throws InvalidOptionError: names are parts of run ids. */
export function checkedName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(name)) return name;
  throw new InvalidOptionError(`${JSON.stringify(name)} is no name of a schedule`, {
    hint: "Use 1 to 80 letters, digits, '.', '_' or '-', the first a letter or digit.",
  });
}

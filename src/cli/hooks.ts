import { isEntryType } from "../core/entry-types.ts";
import { InvalidOptionError } from "../core/errors.ts";
import type { Hook, Hooks } from "../events/hooks.ts";
import type { Settings } from "./settings.ts";

/**
 * Has the hooks of the configuration called with what happens in runs.
 *
 * @throws InvalidOptionError for an event that there is not, and a hook that is no function.
 */
export function attachHooks({ hooks = {} }: Settings, to: Pick<Hooks, "on">): void {
  for (const [type, given] of Object.entries(hooks)) {
    if (type !== "*" && !isEntryType(type)) {
      throw new InvalidOptionError(`hooks in flujo.config.ts names "${type}", and there is no such event`, {
        hint: 'Events are named as entries of the journal: "run-failed", "step-completed"; "*" stands for all of them.',
      });
    }
    for (const hook of [given].flat()) {
      if (typeof hook !== "function") {
        throw new InvalidOptionError(`the hook for "${type}" in flujo.config.ts is no function`, {
          hint: `Write one: hooks: { "${type}": (event, { runId }) => … }`,
        });
      }
      to.on(type, hook as Hook<typeof type>); // the table's type ties each hook to its events
    }
  }
}

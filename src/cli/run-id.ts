import { UnknownRunError } from "../core/errors.ts";
import { isRunId } from "../core/paths.ts";
import type { Store } from "../ports/store.ts";
import { refuseBadRunId } from "../ports/store-rules.ts";
import { CommandError } from "./letter.ts";

/**
 * The id of the run that is meant: by its whole id, or the first characters of it where no other run begins so.
 *
 * @throws InvalidRunIdError, UnknownRunError, CommandError when several begin so.
 */
export async function fullRunId(store: Store, name: string): Promise<string> {
  if (!isRunId(name)) refuseBadRunId(name);
  if ((await store.read(name, 0, 1)) !== undefined) return name;
  const found = await store.list({ idPrefix: name, limit: 3 });
  if (found.length === 1) return (found[0] as { runId: string }).runId; // its length says so
  if (found.length === 0) {
    throw new UnknownRunError(`there is no run ${name} in ${store.name}`, {
      runId: name,
      hint: "flujo lens list shows the runs of a store; --store or FLUJO_STORE names another one.",
    });
  }
  const ids = found.map(({ runId }) => runId);
  throw new CommandError(
    "usage",
    `several runs begin with ${name}: ${ids.join(", ")} …`,
    "Write more of the id.",
  );
}

import { type VersionView, versions } from "../../lens/versions.ts";
import type { Store } from "../../ports/store.ts";
import { CommandError } from "../letter.ts";

/**
 * The version that the first characters of a fingerprint mean; undefined when none begins so.
 *
 * @throws CommandError when several do.
 */
export async function versionNamed(store: Store, name: string): Promise<VersionView | undefined> {
  if (!/^[0-9a-f]{4,16}$/.test(name)) return undefined;
  const found = (await versions(store)).filter(({ fingerprint }) => fingerprint.startsWith(name));
  if (found.length <= 1) return found[0];
  const names = found.map(({ fingerprint, pipeline }) => `${fingerprint} of ${pipeline}`).join(", ");
  throw new CommandError(
    "usage",
    `several versions begin with ${name}: ${names}`,
    "Write more of the fingerprint.",
  );
}

/** @throws CommandError when there is none, or several. */
export async function knownVersion(store: Store, name: string): Promise<VersionView> {
  const found = await versionNamed(store, name);
  if (found !== undefined) return found;
  throw new CommandError(
    "usage",
    `no run in ${store.name} is of a version ${name}`,
    "flujo lens versions shows the versions there are. Four characters of a fingerprint are enough.",
  );
}

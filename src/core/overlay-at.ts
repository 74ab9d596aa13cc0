/** An overlay that changes the agent a recorded path is of. */

import { InvalidOptionError } from "./errors.ts";
import { placeFinder, versionOf } from "./fingerprint.ts";
import type { Json } from "./json.ts";
import type { Node } from "./node.ts";
import { type Overlay, setting } from "./overlay.ts";
import type { Path } from "./paths.ts";
import { eachPlace } from "./tree.ts";

/**
 * The agent that something recorded is of, as the tree has it: of `/q3/AnalyseAll[Alpha]/summarise:call#1` it is
 * `/q3/AnalyseAll[]/summarise`. Undefined where no agent stands, or none that an overlay can change.
 */
export function agentAt(root: Node, path: Path): Path | undefined {
  const place = placeFinder(versionOf(root).manifest)(path);
  return place !== undefined && agentsOf(root).includes(place) ? place : undefined;
}

function agentsOf(root: Node): Path[] {
  const found: Path[] = [];
  eachPlace(root, "", (place, path) => {
    if (place.kind === "agent" && place.improvable !== undefined) found.push(path);
  });
  return found;
}

/**
 * One operation: sets a field of the agent at a recorded path.
 *
 * @throws InvalidOptionError when there is no agent.
 */
export function settingAt(root: Node, path: Path, field: string, value: Json): Overlay[number] {
  const place = agentAt(root, path);
  if (place !== undefined) return setting(place, field, value);
  const all = agentsOf(root);
  const hint = all.length === 0 ? "The pipeline has no agents." : `Its agents are ${all.join(", ")}.`;
  throw new InvalidOptionError(`there is no agent at ${path} to change`, { hint });
}

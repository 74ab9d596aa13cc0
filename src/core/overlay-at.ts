/** An overlay that changes the agent a recorded path is of. */
import { placeFinder, versionOf } from "./fingerprint.ts";
import type { Json } from "./json.ts";
import type { Node } from "./node.ts";
import { improvablesOf, type Overlay, setting, unknownPlace } from "./overlay.ts";
import type { Path } from "./paths.ts";

/**
 * The agent that something recorded is of, as the tree has it: of `/q3/AnalyseAll[Alpha]/summarise:call#1` it is
 * `/q3/AnalyseAll[]/summarise`. Undefined where no agent stands, or none that an overlay can change.
 */
export function agentAt(root: Node, path: Path): Path | undefined {
  const place = placeFinder(versionOf(root).manifest)(path);
  return place !== undefined && Object.hasOwn(improvablesOf(root), place) ? place : undefined;
}

/**
 * One operation: sets a field of the agent at a recorded path.
 *
 * @throws InvalidOptionError when there is no agent.
 */
export function settingAt(root: Node, path: Path, field: string, value: Json): Overlay[number] {
  const place = agentAt(root, path);
  if (place === undefined) throw unknownPlace(path, improvablesOf(root));
  return setting(place, field, value);
}

import { InvalidInputError, InvalidPipelineError, type OnLimit } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { type Limits, tightest } from "../core/limits.ts";
import { type BudgetNode, bare, isQualifier, type Node, nameOf, type PipelineNode } from "../core/node.ts";
import { type Overlay, overlaid } from "../core/overlay.ts";
import { childPath } from "../core/paths.ts";
import { check, misfit } from "../core/schema.ts";
import { equal } from "../core/state.ts";
import { eachPlace } from "../core/tree.ts";
import { findProblems } from "../core/validation.ts";

/** The tree a run executes: a pipeline, and the qualifiers around it. A bare step is a pipeline of its own name. */
export interface Root {
  readonly node: Node;
  readonly pipeline: PipelineNode;
  readonly path: string;
  /** The limits the pipeline itself declares. */
  readonly limits: Limits | undefined;
  /** What stands over the tree as it is written; absent: nothing. */
  readonly standing?: Standing;
  /** What becomes of the run at its limits, and the parts of them, in percent, at which an alert is due. */
  readonly onLimit: OnLimit;
  readonly alertAt: readonly number[];
}

/** An overlay that new runs begin with, and the tree under it. */
export interface Standing {
  readonly base: Node;
  readonly overlay: Overlay;
}

const standings = new WeakMap<Node, Standing>();

/** @throws InvalidPipelineError */
export function rootOf(node: Node): Root {
  const problems = findProblems(node);
  if (problems.length > 0) throw new InvalidPipelineError(problems);
  const inner = bare(node);
  const pipeline: PipelineNode =
    inner.kind === "pipeline" ? inner : { kind: "pipeline", name: nameOf(node), body: node };
  const root = inner.kind === "pipeline" ? node : Object.freeze(pipeline);
  const around = budgetsAround(root);
  const standing = standings.get(root);
  return {
    ...(standing === undefined ? {} : { standing }),
    node: root,
    pipeline,
    path: childPath("", pipeline.name),
    limits: around.length === 0 ? undefined : around.map(({ limits }) => limits).reduce(tightest),
    onLimit: around.some(({ onLimit }) => onLimit === "fail") ? "fail" : "halt",
    alertAt: around.flatMap(({ alertAt = [] }) => alertAt),
  };
}

/**
 * The same root with an overlay over its tree as it is written: what a run recorded is all that holds for it, whatever stands
 * over the tree by now.
 *
 * @throws InvalidOptionError, InvalidPipelineError
 */
export async function overlaidRoot(root: Root, overlay: Overlay = []): Promise<Root> {
  const { base, overlay: standing } = root.standing ?? { base: root.node, overlay: [] };
  if (equal(overlay as unknown as Json, standing as unknown as Json)) return root; // patches are JSON
  const node = await overlaid(base, overlay);
  return node === root.node ? root : rootOf(node);
}

/** What a new run is to record: what stands over the tree, and what is changed for this run alone. */
export const recordedOverlay = ({ standing }: Root, overlay: Overlay = []): Overlay => [
  ...(standing?.overlay ?? []),
  ...overlay,
];

/** The tree with an overlay that new runs begin with and record. @throws InvalidOptionError, InvalidPipelineError */
export async function standingNode(root: Root, overlay: Overlay): Promise<Node> {
  const all = recordedOverlay(root, overlay);
  const { node } = await overlaidRoot(root, all);
  if (node !== root.node) standings.set(node, { base: root.standing?.base ?? root.node, overlay: all });
  return node;
}

/** All budgets around the whole pipeline are one: the tightest of each kind. */
function budgetsAround(node: Node): BudgetNode[] {
  if (!isQualifier(node)) return [];
  const inner = budgetsAround(node.of);
  return node.kind === "budget" ? [...inner, node] : inner;
}

/** @throws InvalidInputError when the input does not fit the pipeline's schema. */
export async function fittingInput(root: Root, input: unknown): Promise<unknown> {
  if (root.pipeline.input === undefined) return input;
  const result = await check(root.pipeline.input, input);
  if (!result.ok) throw new InvalidInputError(misfit("input", root.path, result.issues), { path: root.path });
  return result.value;
}

/** The state a run begins with: the pipelines' own, outer ones over inner ones. */
export function initialState(root: Root): object {
  const states: object[] = [];
  eachPlace(root.node, "", (place) => {
    if (place.kind === "pipeline" && place.state !== undefined) states.unshift(place.state());
  });
  return Object.assign({}, ...states);
}

/** What should have been undone, worked out a second time: from the journal and the tree, without the engine. */
import { decode } from "../../core/codec.ts";
import type { Entry, EntryOf } from "../../core/entries.ts";
import { isQualifier, links, type Node, nameOf } from "../../core/node.ts";
import { pathSegment, undoAround } from "../../core/paths.ts";
import { type ReadBlob, Values } from "../../core/resolve.ts";
import { inside, places, type Subtree, undos } from "../../core/tree.ts";
import { textOf } from "./digest.ts";
import { forever } from "./forever.ts";
import type { Plan } from "./plan.ts";

/** A failure that was taken care of, and what of the run lies in it. */
interface Turn {
  readonly seq: number;
  readonly what: string;
  readonly covers: (path: string) => boolean;
}

/** The parts of a tree whose names are unique that matter here. */
interface Names {
  /** What undoes a place, by the name of the place. */
  readonly undone: Map<string, string>;
  /** What a fallback stands in for, by the name of the fallback: names side by side with it. */
  readonly replaced: Map<string, ReadonlySet<string>>;
}

/** Everything a journal says about one place with a compensation. */
interface Story {
  readonly owed: EntryOf<"compensation-owed">;
  readonly completed: number[];
  readonly failed: number[];
  started: boolean;
}

/**
 * Says what is wrong, as sentences: each place that has completed is to be undone once when it lies in a failure, those
 * that completed last first, handed what it was given and what came of it; and none that does not.
 *
 * @param handed what compensations were handed, by the place they undo.
 */
export async function wrongReversals(
  entries: readonly Entry[],
  tree: Node,
  plan: Plan,
  handed: ReadonlyMap<string, ReadonlySet<string>>,
  readBlob: ReadBlob,
): Promise<string[]> {
  const names: Names = { undone: new Map(), replaced: new Map() };
  collect(tree, names);
  const stories = storiesOf(entries);
  const turns = entries.flatMap((entry) => turnOf(entry, names));
  const hopeless = hopelessIn(plan);
  const isHopeless = (path: string): boolean => hopeless.has(names.undone.get(lastName(path)) ?? "");
  return [
    ...unnoticed(entries, names, stories),
    ...[...stories].flatMap(([path, story]) => wrongAt(path, story, turns, isHopeless(path))),
    ...turns.flatMap((turn) => wrongOrder(turn, stories)),
    ...wrongAfter(entries),
    ...wrongEnd(entries, stories),
    ...(await wrongHanded(entries, stories, handed, readBlob)),
  ];
}

function collect(node: Node, names: Names): void {
  for (const undo of undos(node, "")) names.undone.set(undoneBy(undo), places(undo.node)[0]?.name ?? "");
  fallbacksIn(node, names);
  for (const place of places(node)) for (const sub of inside(place, "")) collect(sub.node, names);
}

function fallbacksIn(node: Node, names: Names): void {
  if (node.kind === "sequence") for (const link of links(node)) fallbacksIn(link, names);
  else if (isQualifier(node)) {
    fallbacksIn(node.of, names);
    if (node.kind !== "fallback") return;
    fallbacksIn(node.other, names);
    const inner = places(node.of).map(({ name }) => pathSegment(name));
    const undone = undos(node.of, "").map(undoneBy);
    names.replaced.set(pathSegment(nameOf(node.other)), new Set([...inner, ...undone]));
  }
}

const undoneBy = ({ within }: Subtree): string => within.slice(1, -"@undo".length);

const lastName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function storiesOf(entries: readonly Entry[]): Map<string, Story> {
  const stories = new Map<string, Story>();
  for (const entry of entries) {
    if (entry.type === "compensation-owed")
      stories.set(entry.path, { owed: entry, completed: [], failed: [], started: false });
    const story = "path" in entry ? stories.get(entry.path) : undefined;
    if (story === undefined) continue;
    if (entry.type === "compensation-started") story.started = true;
    if (entry.type === "compensation-completed") story.completed.push(entry.seq);
    if (entry.type === "compensation-failed") story.failed.push(entry.seq);
  }
  return stories;
}

function turnOf(entry: Entry, names: Names): Turn[] {
  const { seq, type } = entry;
  if (type === "compensation-begun") return [{ seq, what: "the run", covers: () => true }];
  if (type === "failure-collected")
    return [{ seq, what: entry.path, covers: (path) => path.startsWith(`${entry.path}/`) }];
  if (type !== "fallback-taken" || entry.path.includes(":")) return [];
  const at = entry.to.lastIndexOf("/");
  const replaced = names.replaced.get(entry.to.slice(at + 1)) ?? new Set();
  const beside = entry.to.slice(0, at + 1);
  const covers = (path: string): boolean =>
    path.startsWith(beside) && replaced.has(path.slice(beside.length).replace(/[/[].*$/, ""));
  return [{ seq, what: entry.path, covers }];
}

/** The names of what undoes, and never will. */
function hopelessIn(plan: Plan): Set<string> {
  const found = new Set<string>();
  JSON.stringify(plan, (_, part: unknown) => {
    if (typeof part === "object" && part !== null && "fails" in part && "asks" in part && "calls" in part)
      if (part.fails === forever && "name" in part) found.add(String(part.name));
    return part;
  });
  return found;
}

/** A result of a place with a compensation, and nothing that says it is owed. */
function unnoticed(
  entries: readonly Entry[],
  { undone }: Names,
  stories: ReadonlyMap<string, Story>,
): string[] {
  if (!entries.some(({ type }) => type === "compensation-begun" || type === "run-completed")) return [];
  return entries.flatMap((entry) => {
    const isResult =
      entry.type === "step-completed" ||
      entry.type === "signal-received" ||
      (entry.type === "container-completed" && entry.kind !== "sleep");
    if (!isResult || undoAround(entry.path) !== undefined) return [];
    if (!undone.has(lastName(entry.path)) || stories.has(entry.path)) return [];
    return [`${entry.path} has completed, and nothing says that its compensation is owed`];
  });
}

function wrongAt(path: string, story: Story, turns: readonly Turn[], isHopeless: boolean): string[] {
  const { owed, completed, failed, started } = story;
  const due = turns.some(({ seq, covers }) => seq > owed.seq && covers(path));
  if (!due) return started ? [`${path} is undone, and nothing there has failed`] : [];
  if (completed.length > 1) return [`${path} is undone ${completed.length} times`];
  if (completed.length === 1) return [];
  return failed.length > 0 && isHopeless ? [] : [`${path} is not undone`];
}

/** Those that have failed once may come later. */
function wrongOrder({ seq, what, covers }: Turn, stories: ReadonlyMap<string, Story>): string[] {
  const undone = [...stories]
    .filter(([path, { owed, failed }]) => owed.seq < seq && failed.length === 0 && covers(path))
    .flatMap(
      ([
        path,
        {
          owed,
          completed: [at = 0],
        },
      ]) => (at > seq ? [{ path, owed: owed.seq, at }] : []),
    )
    .sort((a, b) => a.at - b.at);
  return undone.flatMap(({ path, owed }, i) => {
    const before = undone[i - 1];
    return before !== undefined && before.owed < owed
      ? [`${before.path} of ${what} is undone before ${path}`]
      : [];
  });
}

/** A run that has turned back does so once, and does nothing else from then on. */
function wrongAfter(entries: readonly Entry[]): string[] {
  const [first, ...again] = entries.filter(({ type }) => type === "compensation-begun");
  const late = entries.filter(
    (entry) =>
      first !== undefined &&
      entry.seq > first.seq &&
      work.has(entry.type) &&
      "path" in entry &&
      undoAround(entry.path) === undefined,
  );
  return [
    ...again.map(({ seq }) => `the run turns back once more at entry ${seq}`),
    ...late.map(({ type, seq }) => `${type}, entry ${seq}, was written after the run had turned back`),
  ];
}

const work = new Set<Entry["type"]>([
  "step-completed",
  "operation-completed",
  "container-completed",
  "signal-received",
  "budget-reserved",
]);

function wrongEnd(entries: readonly Entry[], stories: ReadonlyMap<string, Story>): string[] {
  const last = entries.at(-1);
  if (last?.type !== "run-failed" && last?.type !== "run-cancelled") return [];
  const left = [...stories].flatMap(([path, { completed }]) => (completed.length === 0 ? [path] : []));
  const told = [...(last.left ?? [])].sort().join();
  return told === left.sort().join() ? [] : [`the end says that ${told} is left, and it is ${left.join()}`];
}

async function wrongHanded(
  entries: readonly Entry[],
  stories: ReadonlyMap<string, Story>,
  handed: ReadonlyMap<string, ReadonlySet<string>>,
  readBlob: ReadBlob,
): Promise<string[]> {
  const values = new Values(entries, readBlob);
  const wrong: string[] = [];
  for (const [path, texts] of handed) {
    const story = stories.get(path);
    if (story === undefined) {
      wrong.push(`${path} is undone, and was not owed`);
      continue;
    }
    const [input, output] = [await values.of(story.owed.in), await values.of(story.owed.out)];
    const right = textOf([decode(input ?? null), decode(output ?? null)]);
    if (texts.size !== 1 || !texts.has(right))
      wrong.push(`what undoes ${path} was handed ${[...texts].join(" and ")}, and not ${right}`);
  }
  return wrong;
}

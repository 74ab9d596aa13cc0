import type { Entry } from "../../core/entries.ts";
import { isAddressOf, type Path } from "../../core/paths.ts";
import { type ReadBlob, Values } from "../../core/resolve.ts";
import { answerViews, type MessageView, sentViews } from "../../lens/messages.ts";

/** Of what one agent was sent and said, in characters. */
const longestTrace = 3_000;

/**
 * What the agents of a run were sent and what they said, by their places in the tree. System prompts are left out: they are
 * among the values that are improved. The order is that of the paths, not of time: what goes on side by side may end in any.
 */
export async function tracesOf(
  entries: readonly Entry[],
  places: readonly Path[],
  readBlob: ReadBlob,
): Promise<{ readonly [place: Path]: string }> {
  const values = new Values(entries, readBlob);
  const sent = new Map<Path, readonly MessageView[]>();
  const said = new Map<Path, readonly MessageView[]>();
  for (const entry of entries) {
    // A call that was cut off and made anew is one call still: what was sent last counts.
    if (entry.type === "budget-reserved" && entry.sent !== undefined)
      sent.set(entry.path, sentViews(await values.fetch(entry.sent)));
    else if (entry.type === "operation-completed" && entry.kind === "model-call")
      said.set(entry.path, answerViews(await values.of(entry.seq)));
  }
  const traces: { [place: Path]: string } = {};
  for (const path of [...said.keys()].sort(inOrder)) {
    const place = places.find((one) => isAddressOf(one, agentOf(path)));
    if (place === undefined) continue;
    const views = [...(sent.get(path) ?? []), ...(said.get(path) ?? [])];
    const text = views
      .filter(({ role }) => role !== "system")
      .map(line)
      .join("\n");
    traces[place] = place in traces ? `${traces[place]}\n${text}` : text;
  }
  return Object.fromEntries(Object.entries(traces).map(([place, text]) => [place, shortened(text)]));
}

const inOrder = (a: Path, b: Path): number => a.localeCompare(b, "en", { numeric: true });

/** The agent whose operation it is, whichever attempt. */
const agentOf = (path: Path): Path => path.replace(/(@\d+)?:[^:]*$/, "");

const line = ({ role, kind, tool, text }: MessageView): string =>
  `${[role, kind, tool].filter((part) => part !== undefined).join(" ")}: ${text}`;

/** The beginning and the end: what is asked, and what came of it. */
const shortened = (text: string): string =>
  text.length <= longestTrace
    ? text
    : `${text.slice(0, longestTrace / 2)}\n…\n${text.slice(-longestTrace / 2)}`;

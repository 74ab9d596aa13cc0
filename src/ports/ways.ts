import type { Delivery } from "./sink.ts";

/** Something that can be opened from a message. */
export type Way = readonly [label: string, where: string];

/**
 * What can be opened from a message about an event: the links of a question, and where its author leads.
 *
 * @param link where people look at the run, or answer.
 */
export function waysOf({ event, links }: Delivery, link: string | undefined): readonly Way[] {
  const isAsking = event.type === "signal-awaited" || event.type === "signal-escalated";
  const own: readonly Way[] =
    link === undefined ? [] : [[isAsking && links === undefined ? "Answer" : "Open the run", link]];
  if (links === undefined) return own;
  const { answer, approve, reject } = links;
  const quick: readonly Way[] =
    approve === undefined || reject === undefined
      ? []
      : [
          ["Approve", approve],
          ["Reject", reject],
        ];
  return [...quick, ["Answer…", answer], ...own];
}

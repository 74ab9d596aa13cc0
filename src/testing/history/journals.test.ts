import { describe, expect, it } from "vitest";
import type { AppendOutcome } from "../../ports/store.ts";
import type { AppendAsked, Call } from "./call.ts";
import { checkJournals } from "./journals.ts";

const never = Number.POSITIVE_INFINITY;
let calls = 0;

type Span = readonly [start: number, end: number];

const lease = ([start, end]: Span, fence: number, runId = "r"): Call => ({
  ...{ kind: "acquire", id: `lease ${calls++}`, start, end },
  asked: { runId, owner: "me", now: 0, ttlMs: 1 },
  answer: { outcome: "granted", lease: { runId, owner: "me", fence, expiresAt: 1 } },
});

const append = (from: number, entries: string, fence = 1, runId = "r"): AppendAsked => ({
  ...{ runId, fence, from, entries: [...entries], postings: [] },
});

const commit = (
  [start, end]: Span,
  asked: AppendAsked | readonly AppendAsked[],
  answer: AppendOutcome | "refused" = "appended",
): Call => {
  const appends = "runId" in asked ? [asked] : asked;
  const said = answer === "refused" ? answer : appends.map(() => answer);
  return {
    ...{ kind: "commit", id: `commit ${calls++}`, start, end, asked: appends },
    answer: end === never ? undefined : said,
  };
};

const read = ([start, end]: Span, entries: string, runId = "r"): Call => ({
  ...{ kind: "read", id: `read ${calls++}`, start, end, asked: runId, answer: [...entries] },
});

describe("a history of journals that some order explains", () => {
  it.each<[claim: string, history: Call[]]>([
    ["of nothing", []],
    [
      "of appends and reads, one after the other",
      [
        lease([0, 1], 1),
        commit([2, 3], append(0, "ab")),
        commit([4, 5], append(2, "c")),
        read([6, 7], "abc"),
      ],
    ],
    [
      "of a read beside an append, which has seen it or has not",
      [lease([0, 1], 1), commit([2, 9], append(0, "a")), read([3, 4], ""), read([5, 6], "a")],
    ],
    [
      "of an append without an answer, whether it was done or not",
      [lease([0, 1], 1), commit([2, never], append(0, "a")), read([3, 4], ""), read([8, 9], "a")],
    ],
    [
      "of an append without an answer that was not done",
      [commit([2, never], append(0, "a")), read([8, 9], "")],
    ],
    [
      "of one who was shut out, by a lease that was being given",
      [
        ...[lease([0, 1], 1), lease([2, 9], 2), commit([3, 4], append(0, "a"), "fenced")],
        ...[commit([10, 11], append(0, "b", 2)), read([12, 13], "b")],
      ],
    ],
    [
      "of one who was refused, for another was quicker",
      [commit([0, 5], append(0, "a")), commit([1, 6], append(0, "b"), "refused"), read([7, 8], "a")],
    ],
    [
      "of leases and appends that a crash of the server has parted",
      [
        lease([0, 1], 1),
        lease([2, 3], 2),
        { kind: "crash", id: "crash", start: 4, end: 5, asked: null, answer: null },
        lease([6, 7], 2),
        commit([8, 9], append(0, "a", 2)),
      ],
    ],
  ])("%s, is accepted", (_, history) => {
    expect(checkJournals(history)).toEqual([]);
  });
});

describe("a history of journals is rejected", () => {
  const both = (entry: string): readonly [AppendAsked, AppendAsked] => [
    append(0, entry),
    append(0, entry, 1, "s"),
  ];
  const [x, y] = [both("x"), both("y")];
  const later = ({ from, entries, ...rest }: AppendAsked): AppendAsked => ({
    ...rest,
    from: from + 1,
    entries,
  });
  it.each<[claim: string, finds: RegExp, history: Call[]]>([
    [
      "where an acknowledged append is lost",
      /no order explains this.*which saw nothing yet of/,
      [lease([0, 1], 1), commit([2, 3], append(0, "a")), read([4, 5], "")],
    ],
    [
      "where an acknowledged append is lost, and another stands in its place",
      /others say/,
      [lease([0, 1], 1), commit([2, 3], append(0, "a")), commit([4, 5], append(0, "b")), read([6, 7], "b")],
    ],
    [
      "where a read is stale",
      /no order explains this/,
      [lease([0, 1], 1), commit([2, never], append(0, "a")), read([3, 4], "a"), read([5, 6], "")],
    ],
    [
      "where something is read before it was written",
      /no order explains this/,
      [lease([0, 1], 1), read([2, 3], "a"), commit([4, 5], append(0, "a"))],
    ],
    [
      "where two write at once after a fence",
      /no order explains this.*fence 1/,
      [lease([0, 1], 1), lease([2, 3], 2), commit([4, 5], append(0, "a", 1)), read([6, 7], "a")],
    ],
    [
      "where a stale owner writes late what nobody had answered",
      /no order explains this/,
      [
        ...[lease([0, 1], 1), commit([2, never], append(1, "b", 1)), lease([3, 4], 2)],
        ...[commit([5, 6], append(0, "a", 2)), read([7, 8], "ab")],
      ],
    ],
    [
      "where two are granted one fence",
      /were granted one fence/,
      [lease([0, 1], 1), lease([2, 3], 2), lease([4, 5], 2)],
    ],
    [
      "where one is shut out, and nobody has a newer lease",
      /nobody had a newer lease/,
      [lease([0, 1], 1), commit([2, 3], append(0, "a"), "fenced")],
    ],
    [
      "where one is shut out before anybody asked for a newer lease",
      /which shut out/,
      [lease([0, 1], 1), commit([2, 3], append(0, "a"), "fenced"), lease([4, 5], 2)],
    ],
    [
      "where what was refused stands",
      /was refused, and/,
      [commit([0, 1], append(0, "a"), "refused"), read([2, 3], "a")],
    ],
    [
      "where an append is seen in part",
      /has seen a part of/,
      [commit([0, 9], append(0, "ab")), read([1, 2], "a")],
    ],
    [
      "where something stands twice",
      /not where it was written/,
      [commit([0, 1], append(0, "a")), read([2, 3], "aa")],
    ],
    ["where nobody has written what stands", /nobody has written/, [read([0, 1], "a")]],
    [
      "where two readers disagree",
      /others say/,
      [
        commit([0, 9], append(0, "a")),
        commit([0, never], append(0, "b")),
        read([1, 2], "a"),
        read([3, 4], "b"),
      ],
    ],
    [
      "where two commits stand in one order in one journal, and in the other in another",
      /no order explains this/,
      [commit([0, 9], [x[0], later(x[1])]), commit([0, 9], [later(y[0]), y[1]])],
    ],
    [
      "where a commit is seen in one journal, and after that not in the other",
      /no order explains this/,
      [commit([0, 9], x), read([1, 2], "x"), read([3, 4], "", "s")],
    ],
  ])("%s", (_, finds, history) => {
    expect(checkJournals(history).join("\n")).toMatch(finds);
  });

  it("but for what files may do: shut out whose append the new owner has seen", () => {
    const history = [
      ...[lease([0, 1], 1), commit([2, 5], append(0, "a"), "fenced"), lease([3, 6], 2)],
      ...[read([7, 8], "a"), commit([9, 10], append(1, "b", 2)), read([11, 12], "ab")],
    ];
    expect(checkJournals(history, { fencedMayStand: true })).toEqual([]);
    expect(checkJournals(history)).not.toEqual([]);
  });
});

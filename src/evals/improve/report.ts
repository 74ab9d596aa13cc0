/** What a search has found, for people: what changed, what speaks for it, where it comes from. The same for the same result. */
import type { Json } from "../../core/json.ts";
import { decimalUsd } from "../../core/limits.ts";
import { type Overlay, placeIn } from "../../core/overlay.ts";
import { compareTexts } from "../../lens/compare-values.ts";
import type { Improvement } from "./improvement.ts";
import { type Ancestor, type Evidence, type PatchFile, patchFileOf } from "./patch-file.ts";
import type { Promotion, PromotionVerdict, SliceChange } from "./promotion.ts";

/** A heading, and under it a table, whose first row names the columns, or lines of a difference. */
export type Block = { readonly title: string } & (
  | { readonly rows: readonly (readonly string[])[] }
  | { readonly lines: readonly string[] }
);

export interface Report {
  readonly headline: string;
  /** Sentences. */
  readonly words: readonly string[];
  readonly blocks: readonly Block[];
}

/**
 * The report of a search that has come to its end.
 *
 * ```ts
 * const found = await readImprovement(sqlite(".flujo/flujo.db"), "greetings-1");
 * if (found?.improvement !== undefined) console.log(reportMarkdown(await improvementReport(found.improvement)));
 * ```
 */
export async function improvementReport(improvement: Improvement): Promise<Report> {
  const { pipeline, base, best, candidates, search, dataset, cases, reflector, seed } = improvement;
  const { rollouts, rounds, proposals, stopped } = search;
  const file = patchFileOf(improvement);
  const found = file === undefined ? undefined : await patchReport(file);
  const nothing = "Nothing was better on the validation split: the test split was not looked at.";
  const proposers = reflector === null ? "rules, without a reflector" : reflector;
  const trials = `${rollouts} rollouts in ${rounds} rounds, proposals by ${proposers}, seed ${seed}; ${ends[stopped]}`;
  const judged = candidates.map(({ candidate, score, cases: tried }) => [
    candidate.id === best.id
      ? `${candidate.id} (best)`
      : candidate.id === base.id
        ? `${candidate.id} (base)`
        : candidate.id,
    candidate.by,
    number(score),
    `${tried}`,
    oneLine(candidate.note),
  ]);
  return {
    headline: found?.headline ?? `${pipeline}: nothing better was found`,
    words: [
      ...(found?.words ?? [nothing]),
      `The search: ${trials}. It cost $${decimalUsd(BigInt(improvement.picoUsd))}.`,
    ],
    blocks: [
      ...(found?.blocks ?? []),
      {
        title: `Candidates on the validation split of ${dataset.name} (${cases.validation} cases)`,
        rows: [["candidate", "by", "score", "cases", "why"], ...judged],
      },
      {
        title: "Proposals",
        rows: [
          ["made", "refused", "known already", "no better on train cases"],
          [`${proposals.made}`, `${proposals.refused}`, `${proposals.known}`, `${proposals.noBetter}`],
        ],
      },
      ...(proposals.faults.length === 0
        ? []
        : [{ title: "Why proposals were refused", lines: proposals.faults.map((fault) => `  ${fault}`) }]),
    ],
  };
}

const ends: { readonly [stopped in Improvement["search"]["stopped"]]: string } = {
  rollouts: "it ended with its last rollout",
  "no-progress": "it ended when nothing better came",
  budget: "it ended while there was money left for the test split",
  perfect: "it ended with all that there is to reach",
};

/**
 * The report of a patch: of its evidence, where it has some.
 *
 * ```ts
 * const file = await readOverlayFile("pipelines/greet.overlay.json");
 * for (const patch of patchesInForce(file, "hello")) console.log(reportMarkdown(await patchReport(patch)));
 * ```
 */
export async function patchReport(file: PatchFile): Promise<Report> {
  const { id, pipeline, fingerprint, patch, evidence } = file;
  const changes = await changesOf(patch);
  const about = `Patch ${id}, made for the version ${fingerprint}.`;
  if (evidence === undefined)
    return { headline: `${pipeline}: a patch without evidence`, words: [about], blocks: changes };
  const { promotion, dataset, cases, scorers } = evidence;
  const { look, why, verdict } = promotion;
  const looks =
    look === 1 ? "for the first time" : `for the ${ordinal(look)} time, which makes its intervals wider`;
  const tests = `${cases.test} test cases of ${dataset.name}, looked at ${looks}, scored by ${scorers.join(", ")}.`;
  return {
    headline: `${pipeline}: ${verdicts[verdict]}`,
    words: [why, `${about} Evidence: ${tests}`],
    blocks: [...changes, gainOf(promotion), costOf(promotion), lineageOf(evidence)],
  };
}

const verdicts: { readonly [verdict in PromotionVerdict]: string } = {
  promote: "promoted",
  "insufficient-evidence": "insufficient evidence",
  "no-gain": "no gain",
  "slice-regressed": "not promoted, a slice is worse",
  "too-costly": "not promoted, it costs too much",
};

/** One block for each field that changes: texts line by line, or word by word where they are of one line. */
async function changesOf(patch: Overlay): Promise<Block[]> {
  const before = new Map(patch.flatMap((one) => (one.op === "test" ? [[one.path, one.value as Json]] : []))); // a patch is JSON
  const blocks: Block[] = [];
  for (const operation of patch) {
    if (operation.op === "test") continue;
    const [place, field] = placeIn(operation.path);
    const after = operation.op === "remove" ? undefined : ((operation as { value?: Json }).value ?? null);
    blocks.push({ title: `${field} of ${place}`, lines: await linesOf(before.get(operation.path), after) });
  }
  return blocks;
}

async function linesOf(before: Json | undefined, after: Json | undefined): Promise<readonly string[]> {
  if (typeof before !== "string" || typeof after !== "string")
    return [...marked("-", before), ...marked("+", after)];
  if (before.includes("\n") || after.includes("\n")) return compareTexts(before, after);
  return [...marked("-", before), ...marked("+", after), `  ${await wordsOf(before, after)}`];
}

const marked = (mark: string, value: Json | undefined): string[] => {
  if (value === undefined) return [];
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return text.split("\n").map((line) => `${mark}${line}`);
};

/** Both texts in one: what was taken out in `[-…-]`, what has come in `{+…+}`. */
async function wordsOf(before: string, after: string): Promise<string> {
  const { diffWordsWithSpace } = await import("diff");
  return diffWordsWithSpace(before, after)
    .map(({ value, added, removed }) => (added ? `{+${value}+}` : removed ? `[-${value}-]` : value))
    .join("");
}

function gainOf({ difference, confidence, slices }: Promotion): Block {
  const row = (name: string, one: Promotion["difference"], p: number, worse: string): string[] => [
    name,
    signed(one.mean),
    `${signed(one.low)} to ${signed(one.high)}`,
    p < 0.001 ? "< 0.001" : p.toFixed(3),
    `${one.cases}`,
    `${one.clusters}`,
    worse,
  ];
  const of = Object.entries(slices).map(([tag, slice]) =>
    row(`tag ${tag}`, slice, slice.worse, fallen[slice.regressed]),
  );
  return {
    title: `Gain on the test split (interval of ${(confidence * 100).toFixed(2)} %, of tags 95 %; p of tags: that they are worse)`,
    rows: [
      ["", "gain", "interval", "p", "cases", "clusters", ""],
      row("all", difference, difference.p, ""),
      ...of,
    ],
  };
}

const fallen: { readonly [regressed in SliceChange["regressed"]]: string } = {
  no: "",
  maybe: "may be worse",
  yes: "worse",
};

const costOf = ({ cost }: Promotion): Block => ({
  title: "What a case costs",
  rows: [
    ["before", "after"],
    [`$${cost.before}`, `$${cost.after}`],
  ],
});

const lineageOf = ({ lineage }: Evidence): Block => ({
  title: "Where it comes from",
  rows: [["candidate", "of", "by", "validation", "why"], ...lineage.map(ancestorRow)],
});

const ancestorRow = ({ id, parents, by, note, score }: Ancestor): string[] => [
  id,
  parents.join(", "),
  by,
  score === undefined ? "" : number(score),
  oneLine(note),
];

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();
const number = (score: number): string => score.toFixed(3);
const signed = (score: number): string => `${score < 0 ? "" : "+"}${score.toFixed(3)}`;

/** `2nd`, `3rd`, `11th`. */
function ordinal(n: number): string {
  const ending = n % 100 >= 11 && n % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}

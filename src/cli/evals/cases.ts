import { InvalidOptionError } from "../../core/errors.ts";
import { type Case, type Split, splits } from "../../evals/dataset/case.ts";
import type { Dataset } from "../../evals/dataset/dataset.ts";
import { splitOf } from "../../evals/dataset/split.ts";
import { count } from "../format.ts";
import { say } from "../terminal.ts";

/** What `--split` takes. */
export const splitChoices = [...splits, "all"];

/** Unless it is asked for, nobody looks at the test split: it is there to prove things with, and every look wears it out. */
const unsealed: readonly Split[] = splits.filter((split) => split !== "test");

/**
 * The cases that are to be tried: all that are not of the test split, unless somebody says otherwise.
 *
 * @throws InvalidOptionError when there are none.
 */
export function casesFor(
  { cases }: Dataset,
  path: string,
  { split, tags }: { readonly split?: readonly string[]; readonly tags?: readonly string[] },
): readonly Case[] {
  const wanted = split?.includes("all") ? splits : (split ?? unsealed);
  const tagged = cases.filter((one) => tags === undefined || tags.some((tag) => one.tags?.includes(tag)));
  const chosen = tagged.filter((one) => wanted.includes(splitOf(one)));
  const sealed = split === undefined ? tagged.length - chosen.length : 0;
  if (chosen.length === 0) {
    throw new InvalidOptionError(`none of the ${cases.length} cases of ${path} has these splits and tags`, {
      hint:
        sealed === 0
          ? `flujo dataset check ${path} counts them.`
          : "All that fit are of the test split, which stays sealed unless it is asked for: --split test.",
    });
  }
  if (sealed > 0) {
    say(
      `${count(sealed, "case")} of the test split ${sealed === 1 ? "stays" : "stay"} sealed: --split test tries them, --split all the whole dataset.`,
    );
  }
  return chosen;
}

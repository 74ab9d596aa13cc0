import { distance } from "fastest-levenshtein";
import { expectedOf, type Scorer, scorer, textOf } from "./scorer.ts";

const percent = (score: number): string => `${(100 * score).toFixed(0)} %`;

/** Of longer texts the comparison, whose time grows with the square of their length, is refused. */
const longestText = 50_000;

/**
 * How near the answer's letters are to those expected: 1 less the edit distance (Levenshtein's) as a part of the longer text.
 *
 * ```ts
 * const scorers = [editSimilarity()];
 * ```
 */
export function editSimilarity(): Scorer {
  return scorer(
    "editSimilarity",
    (answer) => {
      const [wanted, got] = [textOf(expectedOf(answer)), textOf(answer.output)];
      const longest = Math.max(wanted.length, got.length);
      if (longest > longestText)
        throw new RangeError(`a text has ${longest} characters, more than ${longestText}`);
      const score = longest === 0 ? 1 : 1 - distance(wanted, got) / longest;
      return { score, feedback: `its letters are ${percent(score)} those expected` };
    },
    { version: 1 },
  );
}

/**
 * How many words the answer and what is expected share, in whatever order: F1, with precision and recall as parts.
 *
 * ```ts
 * const scorers = [tokenSimilarity()];
 * ```
 */
export function tokenSimilarity(): Scorer {
  return scorer(
    "tokenSimilarity",
    (answer) => {
      const [wanted, got] = [wordsOf(textOf(expectedOf(answer))), wordsOf(textOf(answer.output))];
      const left = new Map<string, number>();
      for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
      let shared = 0;
      for (const word of got) {
        const many = left.get(word) ?? 0;
        if (many === 0) continue;
        left.set(word, many - 1);
        shared += 1;
      }
      const part = (of: readonly string[]): number =>
        of.length === 0 ? Number(shared === 0) : shared / of.length;
      const [precision, recall] = [part(got), part(wanted)];
      const score = wanted.length + got.length === 0 ? 1 : (2 * shared) / (wanted.length + got.length);
      const feedback = `${shared} of ${wanted.length} words expected, of ${got.length} in all`;
      return { score, feedback, parts: { precision, recall } };
    },
    { version: 1 },
  );
}

const words = new Intl.Segmenter("en", { granularity: "word" });

/** The words of a text in lower case, in any writing: also of those that put no space between them. */
const wordsOf = (text: string): string[] =>
  [...words.segment(text.toLowerCase())].flatMap(({ segment, isWordLike }) => (isWordLike ? [segment] : []));

/**
 * How near the answer's meaning is to what is expected, by the cosine of their embeddings, bought inside the budget.
 *
 * ```ts
 * const scorers = [embeddingSimilarity({ model: "openai:text-embedding-3-small" })];
 * ```
 *
 * A cosine below 0 counts as 0. What is "near" depends on the model: look at scores of answers you know before you gate by them.
 */
export function embeddingSimilarity({ model }: { readonly model: string }): Scorer {
  return scorer(
    "embeddingSimilarity",
    async (answer, ctx) => {
      const values = [textOf(expectedOf(answer)), textOf(answer.output)] as const;
      const [wanted = [], got = []] = await ctx.embed("embeddingSimilarity", { model, values });
      const score = Math.min(1, Math.max(0, cosine(wanted, got)));
      return { score, feedback: `its meaning is ${percent(score)} near` };
    },
    { version: model },
  );
}

function cosine(a: readonly number[], b: readonly number[]): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return ofA === 0 || ofB === 0 ? 0 : product / Math.sqrt(ofA * ofB);
}

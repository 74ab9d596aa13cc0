import { canonical } from "../../core/canonical.ts";
import { expectedOf, quoted, type Scorer, scorer, textOf, verdict } from "./scorer.ts";

/** How texts are compared. */
export interface TextOptions {
  /** Default false: A and a are the same. */
  readonly ignoreCase?: boolean;
  /** White space at both ends is nothing, and any within is one space. Default true. */
  readonly ignoreSpace?: boolean;
}

function normal(text: string, { ignoreCase = false, ignoreSpace = true }: TextOptions): string {
  const spaced = ignoreSpace ? text.trim().replace(/\s+/g, " ") : text;
  return (ignoreCase ? spaced.toLowerCase() : spaced).normalize();
}

/**
 * Right when the answer is what is expected: the same text, or the same JSON value in whatever order of fields.
 *
 * ```ts
 * const scorers = [exact({ ignoreCase: true })];
 * ```
 */
export function exact(options: TextOptions = {}): Scorer {
  return scorer(
    "exact",
    (answer) => {
      const [expected, { output }] = [expectedOf(answer), answer];
      const isSame =
        typeof expected === "string" && typeof output === "string"
          ? normal(expected, options) === normal(output, options)
          : canonical(expected) === canonical(output);
      return verdict(isSame, "as expected", `expected ${quoted(expected)}, got ${quoted(output)}`);
    },
    { version: { ...options } },
  );
}

/**
 * How many of the expected texts are in the answer: all of them is 1, half of them 0.5.
 *
 * ```ts
 * const scorers = [contains({ texts: ["refund", "14 days"], ignoreCase: true })];
 * ```
 *
 * @param options `texts`: what to look for. Default: what the case expects, a text or a list of texts.
 */
export function contains(options: TextOptions & { readonly texts?: readonly string[] } = {}): Scorer {
  return scorer(
    "contains",
    (answer) => {
      const expected = options.texts ?? [expectedOf(answer)].flat();
      const wanted = expected.map((one) => textOf(one as string)); // JSON, of which lists are flattened
      const text = normal(textOf(answer.output), options);
      const missing = wanted.filter((one) => !text.includes(normal(one, options)));
      const score = wanted.length === 0 ? 1 : 1 - missing.length / wanted.length;
      const feedback =
        missing.length === 0 ? "it has all that is expected" : `missing: ${missing.map(quoted).join(", ")}`;
      return { score, feedback };
    },
    { version: { ...options, ...(options.texts === undefined ? {} : { texts: [...options.texts] }) } },
  );
}

/**
 * Right when the answer matches a regular expression.
 *
 * ```ts
 * const scorers = [matches(/^\d{4}-\d{2}-\d{2}$/)];
 * ```
 *
 * @param pattern default: what the case expects, as the source of an expression with the flag `u`.
 */
export function matches(pattern?: RegExp): Scorer {
  return scorer(
    "matches",
    (answer) => {
      const expression = pattern ?? new RegExp(textOf(expectedOf(answer)), "u");
      const isMatch = textOf(answer.output).search(expression) >= 0;
      return verdict(
        isMatch,
        `it matches ${expression}`,
        `${quoted(answer.output)} does not match ${expression}`,
      );
    },
    { version: pattern === undefined ? null : String(pattern) },
  );
}

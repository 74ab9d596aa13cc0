/** How surely a model does what is wanted, by what it believes; and what chance has to do with it. */
import { draw } from "./draw.ts";
import type { Grasp } from "./lore.ts";

/**
 * What becomes of a world when its prompts change: it can be bettered, a lot or a little; nothing matters; or a change costs some
 * cases (those in a hurry) far more than it gives the others.
 */
export type Variant = "helpful" | "faint" | "null" | "harm";

export interface Temper {
  /** How probably one thing is done right, by what is believed now and under the pipeline as it was. */
  readonly sure: (now: Grasp, base: Grasp, rush: boolean) => number;
  /** What each sentence that says nothing costs, up to ten of them. */
  readonly distraction: number;
  /** How much better or worse a prompt happens to fit all cases of one document. */
  readonly swing: number;
  /** How much easier or harder a case is than others, whatever the prompt. */
  readonly ease: number;
}

const plainly = { knows: 0.95, lacks: 0.12, misled: 0.05, torn: 0.5 } as const;
const faintly = { knows: 0.72, lacks: 0.45, misled: 0.4, torn: 0.55 } as const;

export const tempers: { readonly [variant in Variant]: Temper } = {
  helpful: { sure: (now) => plainly[now], distraction: 0.01, swing: 0.04, ease: 0 },
  faint: { sure: (now) => faintly[now], distraction: 0.01, swing: 0.08, ease: 0.1 },
  null: { sure: () => 0.6, distraction: 0, swing: 0.15, ease: 0.2 },
  harm: {
    sure: (now, base, rush) => (now === base ? 0.75 : rush ? 0.4 : 0.78),
    distraction: 0.002,
    swing: 0.1,
    ease: 0.1,
  },
};

/** One thing to be done in answer to one request. */
export interface Attempt {
  /** All that the model is told beside the question, as one text. */
  readonly standing: string;
  readonly question: string;
  readonly document: string | undefined;
  readonly matter: string;
}

/** Whether it is done right: this follows from the request alone. `sure` is from `sureness`. */
export function succeeds(
  sure: number,
  { swing, ease }: Temper,
  { standing, question, document, matter }: Attempt,
): boolean {
  const fits = draw("swing", standing, document ?? "") < 0.5 ? -swing : swing;
  const easy = ease * (2 * draw("ease", question, matter) - 1);
  return draw("does", standing, question, matter) < sure + fits + easy;
}

export function sureness(
  { sure, distraction }: Temper,
  belief: { readonly now: Grasp; readonly base: Grasp; readonly rush: boolean; readonly clutter: number },
): number {
  const clutter = Math.min(10, Math.max(0, belief.clutter));
  return sure(belief.now, belief.base, belief.rush) - distraction * clutter;
}

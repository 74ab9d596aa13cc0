import type { LanguageModel } from "../../agents/language-model.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";
import type { Step } from "../../core/step.ts";
import type { Score } from "../../evals/scorers/scorer.ts";
import type { Chance } from "../chance.ts";
import type { ScriptedReply } from "../scripted-model.ts";
import type { Asked } from "./asked.ts";
import type { Desk } from "./desk.ts";
import type { Insight, Look } from "./insight.ts";
import type { Temper } from "./temper.ts";

/** A kind of case: what is to be known for it. All cases of a kind are done right equally often. */
export interface Kind {
  readonly matters: readonly string[];
  readonly rush: boolean;
  /** How often it comes, beside others. */
  readonly weight: number;
}

/** A question as a case asks it. */
export interface Question {
  readonly input: string;
  readonly expected: string;
}

/** A world of some family, before cases are drawn and anybody is asked anything. */
export interface Blueprint {
  /** The pipeline to improve, its agents asking this model. */
  readonly task: (model: LanguageModel) => Step<string, string>;
  readonly kinds: readonly Kind[];
  /** A case of a kind; `head` is how its input begins. */
  readonly question: (kind: Kind, head: string, chance: Chance) => Question;
  /** What the model says to what it is sent. */
  readonly reply: (asked: Asked) => ScriptedReply;
  /** The pipeline once more, without an engine: what comes of an input under these values. */
  readonly perform: (values: JsonObject, input: string, desk: Desk) => string;
  readonly score: (answer: Question & { readonly output: string }) => Score;
  /** What someone with sense would change. */
  readonly insight: (look: Look) => Insight;
  /** The best values there are. */
  readonly ideal: (values: JsonObject) => JsonObject;
  /** What a case of a kind scores under these values, on average over all cases there could be. */
  readonly worth: (values: JsonObject, kind: Kind) => number;
}

/** What a family makes its worlds of. */
export interface Plan {
  readonly seed: string;
  readonly chance: Chance;
  readonly temper: Temper;
}

export type Family = (plan: Plan) => Blueprint;

/** Where an agent of a single one stands. */
export const clerkPath: Path = "/task/clerk";

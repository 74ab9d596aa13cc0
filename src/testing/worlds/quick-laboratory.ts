/** A laboratory without an engine: the same world, thousands of trials a second. */
import { applyPatch, type Operation } from "rfc6902";
import type { JsonObject } from "../../core/json.ts";
import type { Case } from "../../evals/dataset/case.ts";
import type { Candidate } from "../../evals/improve/candidate.ts";
import { valuesOf } from "../../evals/improve/document.ts";
import type { Laboratory, Outcome } from "../../evals/improve/laboratory.ts";
import { readProposals, reflectionMessages } from "../../evals/improve/reflection.ts";
import { Desk } from "./desk.ts";
import type { TaskWorld } from "./world.ts";

export interface QuickLaboratory extends Laboratory {
  /** How many trials of a candidate and a case there were; the same one again is none. */
  readonly trials: number;
  /** The values of the pipeline's improvables under a candidate. */
  values(candidate: Candidate): JsonObject;
}

/**
 * Makes a laboratory of a world, in which candidates are tried without runs. What comes of a case, and what it costs, is what
 * comes of a run of the world's pipeline.
 *
 *     const outcomes = await quickLaboratory(world).try(candidate, world.dataset.cases, 1);
 */
export function quickLaboratory({ document, blueprint, reflect }: TaskWorld): QuickLaboratory {
  const outcomes = new Map<string, Outcome>();
  const known = new Map<string, JsonObject>();

  function values({ id, patch }: Candidate): JsonObject {
    const before = known.get(id);
    if (before !== undefined) return before;
    const changed = structuredClone(valuesOf(document));
    applyPatch(changed, structuredClone(patch) as Operation[]); // a copy: it may be changed
    known.set(id, changed);
    return changed;
  }

  function outcomeOf(candidate: Candidate, one: Case, trial: number): Outcome {
    const key = `${candidate.id} ${trial} ${one.id}`;
    const before = outcomes.get(key);
    if (before !== undefined) return before;
    const input = String(one.input);
    const desk = new Desk(blueprint.reply);
    const output = blueprint.perform(values(candidate), input, desk);
    const { score, feedback } = blueprint.score({ input, expected: String(one.expected), output });
    const { picoUsd, traces } = desk;
    const outcome = { caseId: one.id, score, feedback, traces, picoUsd: String(picoUsd), output };
    outcomes.set(key, outcome);
    return outcome;
  }

  return {
    try: async (candidate, cases, trial) => cases.map((one) => outcomeOf(candidate, one, trial)),
    reflect: async (request) => readProposals(reflect(reflectionMessages(request).prompt), request),
    values,
    get trials() {
      return outcomes.size;
    },
  };
}

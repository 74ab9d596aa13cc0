import { describe, expect, test } from "vitest";
import type { Json } from "../../core/json.ts";
import { chance } from "../../testing/chance.ts";
import type { Case } from "../dataset/case.ts";
import { type Candidate, fieldsAt } from "./candidate.ts";
import { checkPatch } from "./check.ts";
import { type ImprovablesDocument, pointer } from "./document.ts";
import type { Laboratory, Outcome, ReflectionRequest } from "./laboratory.ts";
import { search } from "./search.ts";
import type { SearchOptions, SearchResult } from "./search-terms.ts";

const wanted = ["Shout.", "Name it.", "Be brief.", "Be kind."];
const place = "/p/a";

const document: ImprovablesDocument = {
  version: 1,
  pipeline: "p",
  fingerprint: "f",
  places: {
    [place]: {
      system: { type: "text", value: "Answer.", mayChange: true },
      least: { type: "number", value: 0.9, min: 0, max: 1, mayChange: true },
      model: { type: "model", value: "m", mayChange: false },
    },
  },
};

const casesOf = (split: string, count: number): Case[] =>
  Array.from({ length: count }, (_, i) => ({ id: `${split}${i}`, input: i, cluster: `${split}${i}` }));
const [train, validation] = [casesOf("t", 12), casesOf("v", 12)];

/** Each case wants one of four sentences, and a low number; a case in three wants nothing. */
class Small implements Laboratory {
  readonly tried = new Map<string, number>();
  readonly asked: ReflectionRequest[] = [];
  readonly #wait: () => Promise<void>;

  /** @param wait before each outcome and each proposal. */
  constructor(wait: () => Promise<void> = async () => {}) {
    this.#wait = wait;
  }

  try(candidate: Candidate, cases: readonly Case[]): Promise<readonly Outcome[]> {
    return Promise.all(
      cases.map(async (one) => {
        await this.#wait();
        const key = `${candidate.id} ${one.id}`;
        this.tried.set(key, (this.tried.get(key) ?? 0) + 1);
        const change = (field: string): Json | undefined => {
          const found = candidate.patch.findLast(
            ({ op, path }) => op !== "test" && path === pointer(place, field),
          );
          return found !== undefined && "value" in found ? found.value : undefined;
        };
        const n = Number(one.input);
        const lesson = n % 3 === 0 ? undefined : wanted[n % wanted.length];
        const isSaid = lesson === undefined || String(change("system") ?? "").includes(lesson);
        const isLow = Number(change("least") ?? 0.9) < 0.5;
        const score = 0.7 * Number(isSaid) + 0.3 * Number(isLow);
        return { caseId: one.id, score, feedback: isSaid ? "" : `Say: ${lesson}`, traces: {}, picoUsd: "1" };
      }),
    );
  }

  async reflect(request: ReflectionRequest) {
    this.asked.push(request);
    await this.#wait();
    const value = String(fieldsAt(request.values, place).system);
    const lesson = request.outcomes.flatMap(({ feedback }) => feedback.split("Say: ")[1] ?? [])[0] ?? "Hum.";
    const patch = [{ op: "replace", path: pointer(place, "system"), value: `${value}\n${lesson}` }];
    return [{ patch, note: `it wants: ${lesson}`, by: "reflection" }];
  }
}

const searched = (laboratory: Laboratory, options: Partial<SearchOptions> = {}): Promise<SearchResult> =>
  search({
    ...{ document, train, validation, laboratory, seed: 1, rollouts: 600 },
    check: (document, patch) => checkPatch(document, patch, { training: [] }),
    ...options,
  });

describe("a search", () => {
  test("finds what every case wants, and tries nothing twice", async () => {
    const laboratory = new Small();
    const { best, stopped, rollouts, candidates, base } = await searched(laboratory);
    expect(stopped).toBe("perfect");
    const text = JSON.stringify(best.patch);
    for (const lesson of wanted.slice(1, 3)) expect(text).toContain(lesson);
    expect(candidates[0]).toEqual({ candidate: base, score: expect.any(Number), cases: validation.length });
    expect(candidates.find(({ candidate }) => candidate.id === best.id)).toMatchObject({
      score: 1,
      cases: 12,
    });
    expect(laboratory.tried.size).toBe(rollouts);
    expect(new Set(candidates.map(({ candidate }) => candidate.id)).size).toBe(candidates.length);
  });

  test("is the same of the same seed, whatever ends first; another seed searches otherwise", async () => {
    const expected = await searched(new Small());
    for (let order = 1; order <= 5; order += 1) {
      const random = chance(order);
      // Each waits for a number of turns of its own: outcomes and proposals come in any order.
      const late = new Small(async () => {
        for (let turns = random.whole(0, 20); turns > 0; turns -= 1) await Promise.resolve();
      });
      expect(await searched(late)).toEqual(expected);
    }
    const others = await Promise.all([2, 3, 4].map((seed) => searched(new Small(), { seed })));
    expect(others.some(({ rollouts }) => rollouts !== expected.rollouts)).toBe(true);
  });

  test("shows the reflector train cases alone, and some that went wrong", async () => {
    const laboratory = new Small();
    await searched(laboratory);
    const ids = new Set(train.map(({ id }) => id));
    expect(laboratory.asked.length).toBeGreaterThan(3);
    for (const { cases, outcomes, kind } of laboratory.asked) {
      for (const { id } of cases) expect(ids).toContain(id);
      if (kind !== "merge") expect(outcomes.some(({ score }) => score < 1)).toBe(true);
    }
  });

  test("keeps to its rollouts, however many, and always ends with the whole validation split of its best", async () => {
    for (let rollouts = 12; rollouts < 120; rollouts += 7) {
      const laboratory = new Small();
      const result = await searched(laboratory, { rollouts });
      expect(laboratory.tried.size).toBeLessThanOrEqual(rollouts);
      const best = result.candidates.find(({ candidate }) => candidate.id === result.best.id);
      expect(best?.cases).toBe(validation.length);
    }
  });

  test("changes nothing that its owner does not let change, and ends at once where that is all", async () => {
    const { candidates } = await searched(new Small());
    expect(JSON.stringify(candidates)).not.toContain(pointer(place, "model"));
    const { model } = document.places[place] ?? {};
    const laboratory = new Small();
    const shut = {
      ...document,
      places: { [place]: { model: model ?? { type: "model", mayChange: false } } },
    } as const;
    const result = await searched(laboratory, { document: shut });
    expect(result).toMatchObject({ stopped: "no-progress", rollouts: 12, rounds: 0 });
    expect(result.best).toBe(result.base);
  });

  test("gives up after some rounds without a better candidate, and when there is no money", async () => {
    const hopeless = casesOf("t", 12).map((one) => ({ ...one, input: Number.NaN }));
    const dull = { train: hopeless, validation: hopeless.map((one) => ({ ...one, id: `v${one.id}` })) };
    const { stopped, rounds } = await searched(new Small(), { ...dull, patience: 4, document: textAlone });
    expect({ stopped, rounds }).toEqual({ stopped: "no-progress", rounds: 4 });
    const poor = await searched(new Small(), { affords: async ({ round }) => round < 2 });
    expect(poor).toMatchObject({ stopped: "budget", rounds: 2 });
  });
});

const textAlone: ImprovablesDocument = {
  ...document,
  places: { [place]: { system: { type: "text", value: "Answer.", mayChange: true } } },
};

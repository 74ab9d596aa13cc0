/**
 * The search for better values of a pipeline: reflective evolution in the manner of GEPA (arXiv 2507.19457). A round takes parents
 * from the front, tries each on a few cases of the train split, asks for changes of one component, and keeps a change that does
 * better on the same cases. It then runs against the best one so far on the validation split, until one is clearly ahead. It never
 * sees the test split.
 *
 * All chance comes from the seed, and what goes on side by side is dealt with in a fixed order: the same laboratory brings the
 * same result.
 */
import type { Case } from "../dataset/case.ts";
import { type Candidate, patchFrom } from "./candidate.ts";
import { type Chance, chanceOf } from "./chance.ts";
import { type Component, ComponentChoice, componentsOf } from "./components.ts";
import { bestOf, type Contender, meanScore } from "./contender.ts";
import { frontOf } from "./front.ts";
import type { Outcome, Proposal } from "./laboratory.ts";
import { type Couple, couplesOf, merged } from "./merge.ts";
import { type Fledgling, Nursery } from "./nursery.ts";
import { proposalsFor } from "./proposers.ts";
import { lapLength, race, tried } from "./race.ts";
import { Rollouts } from "./rollouts.ts";
import type { SearchOptions, SearchProgress, SearchResult } from "./search-terms.ts";
import { isPerfect, type Slot, Slots } from "./slots.ts";

/** Searches for the values with the best mean on the validation split. */
export const search = (options: SearchOptions): Promise<SearchResult> => new Search(options).result();

/** A change of a slot's parent. */
interface Child extends Fledgling {
  readonly slot: Slot;
  readonly component: Component;
}

class Search {
  readonly #options: SearchOptions;
  readonly #components: readonly Component[];
  readonly #nursery: Nursery;
  readonly #chance: Chance;
  readonly #rollouts: Rollouts;
  readonly #slots: Slots;
  readonly #choice: ComponentChoice;
  readonly #validation: readonly Case[];
  readonly #contenders: Contender[] = [];
  readonly #coupled = new Set<string>();
  #noBetter = 0;
  #round = 0;
  /** Who is to be beaten: perhaps tried on some cases of the validation split alone. */
  #leader: Contender | undefined;
  /** Where in the validation split the next race starts. */
  #start = 0;

  constructor(options: SearchOptions) {
    this.#options = options;
    const canShow = options.train.some(({ expected }) => expected !== undefined);
    this.#components = componentsOf(options.document).filter(
      ({ improvable }) => improvable.type !== "examples" || canShow,
    );
    this.#nursery = new Nursery(options.document, options.check);
    this.#chance = chanceOf(options.seed);
    this.#rollouts = new Rollouts(options.laboratory, options.rollouts);
    this.#slots = new Slots(options, this.#rollouts, this.#chance);
    this.#choice = new ComponentChoice(this.#components);
    this.#validation = this.#chance.shuffled(options.validation);
  }

  async result(): Promise<SearchResult> {
    const { affords, patience = 20 } = this.#options;
    const stopped = (await this.#begin()) ? undefined : ("rollouts" as const);
    if (stopped !== undefined || this.#components.length === 0) return this.#ended(stopped ?? "no-progress");
    let idle = 0;
    for (;;) {
      if (await this.#isPerfect()) return this.#ended("perfect");
      if (idle >= patience) return this.#ended("no-progress");
      if (affords !== undefined && !(await affords(this.#progress()))) return this.#ended("budget");
      const before = this.#leader;
      this.#round += 1;
      if (!(await this.#nextRound())) return this.#ended("rollouts");
      idle = this.#leader === before ? idle + 1 : 0;
      this.#tell();
    }
  }

  /** Whether the leader leaves nothing to be desired, on all cases. */
  async #isPerfect(): Promise<boolean> {
    const leader = this.#leader;
    if (leader === undefined || meanScore(leader) < 1) return false;
    await tried([leader], this.#validation, this.#rollouts);
    return meanScore(leader) >= 1 && leader.scores.size === this.#validation.length;
  }

  /** What it takes to try the leader on the whole validation split. */
  get #keep(): number {
    return this.#validation.length - (this.#leader?.scores.size ?? 0);
  }

  async #begin(): Promise<boolean> {
    const base = contenderOf(this.#nursery.base);
    if (!(await tried([base], this.#validation, this.#rollouts))) return false;
    this.#leader = base;
    this.#contenders.push(base);
    this.#tell();
    return true;
  }

  /** @returns false when the limit of rollouts leaves nothing to be done. */
  async #nextRound(): Promise<boolean> {
    const { proposals = 2 } = this.#options;
    const parents = Array.from({ length: proposals }, () => this.#parent());
    const slots = await this.#slots.of(parents, this.#keep);
    if (slots.length === 0) return false;
    const children = await this.#children(slots.filter(({ outcomes }) => !isPerfect(outcomes)));
    const better = await this.#better(children);
    for (const { component } of better) this.#choice.helped(component);
    const before = this.#leader;
    await this.#race(await this.#joined(better));
    if (better.length > 0 && this.#leader === before) await this.#race(await this.#mergers());
    return true;
  }

  /** The leader, or one of the front, each as probable as the cases it is best at are many. */
  #parent(): Contender {
    const isLeader = this.#chance.next() < 0.6;
    return isLeader && this.#leader !== undefined ? this.#leader : this.#chance.weighted([...this.#front()]);
  }

  /** Of the cases that the leader was tried on: of others nobody knows how it would do there. */
  #front(): Map<Contender, number> {
    return frontOf(this.#contenders, this.#leader?.scores.keys() ?? []);
  }

  /** A change for each slot, of those that pass their check and are new. */
  async #children(slots: readonly Slot[]): Promise<Child[]> {
    const asked = slots.map((slot) => {
      const failures = slot.outcomes.filter(({ score }) => score < 1);
      const component = this.#choice.next(failures, this.#chance);
      return { slot, component, proposals: this.#proposals(slot, component) };
    });
    const all = await Promise.all(asked.map(({ proposals }) => proposals));
    const children: Child[] = [];
    for (const [i, { slot, component }] of asked.entries()) {
      for (const proposal of all[i] ?? []) {
        const made = await this.#nursery.made(proposal, [slot.parent]);
        if (made !== undefined) children.push({ ...made, slot, component });
      }
    }
    return children;
  }

  #proposals(slot: Slot, component: Component): Promise<readonly Proposal[]> {
    const { document, laboratory, train, hasReflector = true } = this.#options;
    const known = this.#rollouts.known(slot.parent.candidate, train);
    const proposers = {
      document,
      laboratory,
      train,
      hasReflector,
      nursery: this.#nursery,
      chance: this.#chance,
    };
    return proposalsFor({ ...slot, component, known }, proposers);
  }

  /**
   * Those that do better than their parents on the same cases. They are tried first where there is something to gain: who
   * gains nothing there is tried no further.
   */
  async #better(children: readonly Child[]): Promise<Child[]> {
    let standing = children;
    for (const part of [(score: number) => score < 1, (score: number) => score >= 1]) {
      const planned = standing.flatMap((child) => {
        const scores = scoresOf(child.slot.outcomes);
        const cases = child.slot.cases.filter(({ id }) => part(scores.get(id) ?? 0));
        if (!this.#rollouts.allows(child.candidate, cases, this.#keep)) return [];
        return [{ child, trial: this.#rollouts.try(child.candidate, cases) }];
      });
      await Promise.all(planned.map(({ trial }) => trial));
      standing = planned.map(({ child }) => child).filter((child) => this.#gain(child) > 1e-9);
    }
    this.#noBetter += children.length - standing.length;
    return [...standing];
  }

  #gain({ candidate, slot: { cases, outcomes } }: Child): number {
    const before = scoresOf(outcomes);
    const after = this.#rollouts.known(candidate, cases);
    return after.reduce((sum, { caseId, score }) => sum + score - (before.get(caseId) ?? 0), 0);
  }

  /**
   * In the order they are to run: who gained most comes first. Two changes of one parent are tried as one, and run so, where they
   * gain no less together than either alone.
   */
  async #joined(better: readonly Child[]): Promise<readonly Fledgling[]> {
    const order = [...better].sort((a, b) => this.#gain(b) - this.#gain(a));
    const [first, ...rest] = order;
    const second = rest.find(({ slot }) => slot.parent === first?.slot.parent);
    if (first === undefined || second === undefined) return order;
    const { parent } = first.slot;
    const [one, other] = [contenderOf(first), contenderOf(second)];
    const { values, clashes } = merged({ one, other, ancestor: parent }, this.#components);
    if (clashes.length > 0) return order;
    const note = [first, second].map(({ candidate }) => candidate.note).join(" And: ");
    const patch = patchFrom(parent.values, values);
    const both = await this.#nursery.made({ patch, note, by: "merge" }, [parent]);
    if (both === undefined) return order;
    const cases = [...new Set([...first.slot.cases, ...second.slot.cases])];
    if (!this.#rollouts.allows(both.candidate, cases, this.#keep)) return order;
    await this.#rollouts.try(both.candidate, cases);
    const gain = this.#sum(both.candidate, cases) - this.#sum(parent.candidate, cases);
    return gain > this.#gain(first) - 1e-9 ? [both, ...order] : [...order, both];
  }

  #sum(candidate: Candidate, cases: readonly Case[]): number {
    return this.#rollouts.known(candidate, cases).reduce((sum, { score }) => sum + score, 0);
  }

  /** They run against the leader, one after the other, until one leads. */
  async #race(runners: readonly Fledgling[]): Promise<void> {
    for (const runner of runners) {
      const leader = this.#leader;
      if (leader === undefined) return;
      const challenger = contenderOf(runner);
      const cases = [...this.#validation.slice(this.#start), ...this.#validation.slice(0, this.#start)];
      // Each race starts elsewhere: nobody stays ahead by luck on the same few cases.
      this.#start = (this.#start + lapLength) % cases.length;
      const standing = await race({ challenger, leader, cases }, this.#rollouts);
      if (challenger.scores.size > 0) this.#contenders.push(challenger);
      if (standing !== "ahead") continue;
      this.#leader = challenger;
      return;
    }
  }

  /** What the best couple that was not tried yet is together. */
  async #mergers(): Promise<Fledgling[]> {
    const front = [...this.#front().keys()];
    const couple = couplesOf(front, this.#contenders).find((one) => !this.#coupled.has(nameOf(one)));
    if (couple === undefined) return [];
    this.#coupled.add(nameOf(couple));
    const { one, other } = couple;
    const { values, clashes } = merged(couple, this.#components);
    const note = `joins ${one.candidate.id} and ${other.candidate.id}`;
    const proposals: Proposal[] = [{ patch: patchFrom(one.values, values), note, by: "merge" }];
    const [clash] = clashes;
    const { hasReflector = true, laboratory, document } = this.#options;
    if (clash !== undefined && hasReflector) {
      const seed = Math.floor(this.#chance.next() * 2 ** 31);
      const asked = await laboratory.reflect({
        ...{ document, candidate: one.candidate, values, place: clash.place, field: clash.field, seed },
        ...{ outcomes: [], cases: [], kind: "merge", other: other.candidate },
      });
      proposals.push(...asked);
    }
    const made = [];
    for (const proposal of proposals) made.push(await this.#nursery.made(proposal, [one, other]));
    return made.filter((one) => one !== undefined);
  }

  /** Where the leader stands: as far above the base as on the cases that both were tried on. */
  #leading(base: Contender): number {
    const { scores } = this.#leader ?? base;
    let gain = 0;
    for (const [caseId, score] of scores) gain += score - (base.scores.get(caseId) ?? 0);
    return Math.min(1, Math.max(0, meanScore(base) + gain / scores.size));
  }

  #tell(): void {
    this.#options.onProgress?.(this.#progress());
  }

  #progress(): SearchProgress {
    const [base] = this.#contenders;
    return {
      round: this.#round,
      rollouts: this.#rollouts.used,
      candidates: this.#contenders.length,
      base: base === undefined ? 0 : meanScore(base),
      best: base === undefined ? 0 : this.#leading(base),
    };
  }

  async #ended(stopped: SearchResult["stopped"]): Promise<SearchResult> {
    if (this.#leader !== undefined) await tried([this.#leader], this.#validation, this.#rollouts);
    return {
      best: bestOf(this.#contenders, this.#validation.length)?.candidate ?? this.#nursery.base.candidate,
      base: this.#nursery.base.candidate,
      candidates: this.#contenders.map((one) => ({
        candidate: one.candidate,
        score: meanScore(one),
        cases: one.scores.size,
      })),
      rollouts: this.#rollouts.used,
      rounds: this.#round,
      proposals: { ...this.#nursery.count, noBetter: this.#noBetter },
      stopped,
    };
  }
}

const contenderOf = ({ candidate, values }: Fledgling): Contender => ({
  candidate,
  values,
  scores: new Map(),
});

const scoresOf = (outcomes: readonly Outcome[]): ReadonlyMap<string, number> =>
  new Map(outcomes.map(({ caseId, score }) => [caseId, score]));

const nameOf = ({ one, other }: Couple): string => [one.candidate.id, other.candidate.id].sort().join(" ");

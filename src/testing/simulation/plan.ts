/** A random pipeline as plain data, drawn from a seed. Whether it fails in the end is drawn too, never left to timing. */
import type { Chance } from "../chance.ts";
import { forever } from "./forever.ts";
import { withPeople } from "./people.ts";
import { withStreams } from "./streaming.ts";
import { withUndos } from "./undos.ts";

export type Plan =
  | BodyPlan
  | AgentPlan
  | { readonly kind: "sequence"; readonly links: readonly Plan[] }
  | {
      readonly kind: "parallel";
      readonly name: string;
      readonly branches: { readonly [key: string]: Plan };
      readonly collect: boolean;
    }
  | MapPlan
  | {
      readonly kind: "branch";
      readonly name: string;
      readonly by: "value" | "state";
      readonly keys: readonly Plan[];
      readonly otherwise: boolean;
      readonly unknown: boolean;
    }
  | {
      readonly kind: "loop";
      readonly name: string;
      readonly body: Plan;
      readonly turns: number;
      readonly end: "count" | "state" | "last" | "fail";
    }
  /** `alters`: its input schema makes another value of its input. */
  | { readonly kind: "pipeline"; readonly name: string; readonly body: Plan; readonly alters: boolean }
  | { readonly kind: "sleep"; readonly name: string; readonly ms: number }
  | HumanPlan
  /** Something is sent from outside: early, late, twice, or wrong. */
  | { readonly kind: "event"; readonly name: string }
  | {
      readonly kind: "retry";
      readonly of: Plan;
      readonly attempts: number;
      readonly ms: number;
      readonly jitter: boolean;
    }
  | { readonly kind: "timeout"; readonly of: Plan; readonly ms: number }
  | { readonly kind: "fallback"; readonly of: Plan; readonly other: Plan }
  | { readonly kind: "cached"; readonly of: Plan }
  | { readonly kind: "budget"; readonly of: Plan; readonly calls: number }
  | { readonly kind: "validate"; readonly of: Plan; readonly check: "passes" | "alters" | "never" }
  | { readonly kind: "compensate"; readonly of: Plan; readonly undo: UndoPlan };

/** What undoes a place. It is tried three times. */
export interface UndoPlan {
  readonly name: string;
  readonly ms: number;
  /** The tries, from the first on, that do not succeed. */
  readonly fails: number;
  /** It buys a call. */
  readonly calls: boolean;
  /** A person is asked in the end. */
  readonly asks: boolean;
}

/** What people do. `default`: nobody answers, and an answer is declared. `escalates`: the second one asked does. `fails`: nobody does. */
export type Way = "answers" | "default" | "escalates" | "fails";

/** A person: they answer, after others did not, or not at all. */
export interface HumanPlan {
  readonly kind: "human";
  readonly name: string;
  readonly way: Way;
}

/** How the people of a plan are, by the names of their places and tools. */
export function peopleIn(plan: Plan): Map<string, Way> {
  const found = new Map<string, Way>();
  JSON.stringify(plan, (_, part: unknown) => {
    if (isAsked(part)) found.set(part.name, part.way);
    return part;
  });
  return found;
}

const isAsked = (part: unknown): part is { readonly name: string; readonly way: Way } =>
  typeof part === "object" && part !== null && "way" in part && "name" in part;

/** A step. */
export interface BodyPlan {
  readonly kind: "step";
  readonly name: string;
  readonly ms: number;
  /** Goes on when its signal fires. */
  readonly deaf: boolean;
  /** The attempts, from the first on, that do not succeed, and how. */
  readonly fails: number;
  readonly how: "throws" | "hangs" | "invalid" | "unstorable";
  readonly operations: readonly OperationPlan[];
  /** Its operations beside one another. */
  readonly together: boolean;
  readonly writes: readonly WritePlan[];
  readonly readsState: boolean;
  readonly returns: "text" | "large" | "rich";
}
export type WritePlan = "own" | "sum" | "trail" | "found" | "clash";
export type OperationPlan =
  | {
      readonly kind: "run";
      readonly name: string;
      readonly ms: number;
      readonly fails: number;
      readonly caught: boolean;
    }
  | { readonly kind: "sleep"; readonly name: string; readonly ms: number }
  | ({ readonly kind: "generate"; readonly name: string } & Streaming)
  /** A call through ctx.model. */
  | ({ readonly kind: "model"; readonly name: string } & Streaming);

/** How the answers of a model come. */
export interface Streaming {
  /** In pieces, and what is done about a cut one. Absent: in one piece. */
  readonly stream?: "repeat" | "continue";
  /** The first answer is cut after so many pieces. */
  readonly cutAfter?: number;
}

export interface AgentPlan extends Streaming {
  readonly kind: "agent";
  readonly name: string;
  /** How the model treats the first call of each prompt. */
  readonly trouble: "none" | "refuses" | "breaks" | "hangs" | "misfits";
  readonly maxOutputTokens: number;
  readonly tools: readonly ToolPlan[];
  /** The tools the model calls in each of its turns, by their index, before it answers. */
  readonly script: readonly (readonly number[])[];
  /** Every turn calls with the same arguments: the model goes round in circles. */
  readonly circles: boolean;
}

export interface ToolPlan {
  readonly name: string;
  readonly ms: number;
  /** The tries, from the first on, that do not succeed, and how. As many as it is tried: it fails for good. */
  readonly fails: number;
  readonly how: "throws" | "hangs";
  readonly attempts: number;
  readonly onUnknown: "retry" | "ask";
  /** A person is asked first. */
  readonly asks: boolean;
  /** What they do. Absent: they answer. */
  readonly way?: Way;
  /** What each try costs. */
  readonly price: "$0" | "$0.00005";
}

export interface MapPlan {
  readonly kind: "map";
  readonly name: string;
  readonly each: Plan;
  readonly count: number;
  readonly concurrency: number;
  readonly collect: boolean;
  /** Items from the state and input, or from the step before. */
  readonly over: boolean;
  /** `twins`: some items are equal; `clash`: two items have one key. */
  readonly items: "plain" | "keyed" | "twins" | "clash";
}

/** The whole of one simulated run. */
export interface RunPlan {
  readonly body: Plan;
  /** The limits the run begins with; doubled each time it halts. */
  readonly limits: { readonly picoUsd?: number; readonly calls?: number; readonly tokens?: number };
  /** How many calls each process may make in a minute: enough for the timeouts in the tree. Undefined: any number. */
  readonly callsPerMinute: number | undefined;
  /** When somebody cancels the run, among faults; undefined: nobody does. */
  readonly cancelAfterMs: number | undefined;
}

/** What a part may do. */
interface Leave {
  /** It must fail for good, by exactly one of its parts. */
  readonly doomed: boolean;
  /** Steps may fail at first: something around them tries again. */
  readonly flaky: boolean;
}
const calm: Leave = { doomed: false, flaky: false };

/**
 * @param streams decides which answers come in pieces.
 * @param tools draws what agents do with tools.
 * @param people decides who answers, and how long sleeps are.
 * @param undos draws what can be undone, and whether the run is cancelled. None of these moves anything else.
 */
export function randomRun(
  chance: Chance,
  streams: Chance,
  tools: Chance,
  people: Chance,
  undos: Chance,
): RunPlan {
  const grower = new Grower(chance, tools);
  const links = Array.from({ length: chance.whole(1, 4) }, () => grower.grow(chance.whole(1, 3), calm));
  if (chance.flip(0.2)) links.push(grower.grow(2, { doomed: true, flaky: false }));
  const plain = withPeople(withStreams({ kind: "sequence", links }, streams), people);
  const body = undos.flip(0.6) ? withUndos(plain, undos) : plain;
  return {
    body,
    limits: limits(chance),
    callsPerMinute: chance.flip(0.3) ? chance.pick([20, 40]) : undefined,
    cancelAfterMs: undos.flip(0.15) ? undos.pick([5, 500, 5_000, 60_000, 3_600_000]) : undefined,
  };
}

function limits(chance: Chance): RunPlan["limits"] {
  return {
    ...(chance.flip(0.5) ? { picoUsd: chance.pick([150_000_000, 400_000_000, 1_500_000_000]) } : {}),
    ...(chance.flip(0.2) ? { calls: chance.whole(1, 6) } : {}),
    ...(chance.flip(0.2) ? { tokens: chance.pick([300, 800, 4_000]) } : {}),
  };
}

class Grower {
  readonly #chance: Chance;
  readonly #toolChance: Chance;
  #names = 0;
  #tools = 0;

  constructor(chance: Chance, toolChance: Chance) {
    this.#chance = chance;
    this.#toolChance = toolChance;
  }

  grow(depth: number, leave: Leave): Plan {
    const plan = this.#bare(depth, leave);
    return leave.doomed ? plan : this.#qualified(plan, depth, leave.flaky);
  }

  /** What changes neither the result nor whether there is one. */
  #qualified(plan: Plan, depth: number, flaky: boolean): Plan {
    const chance = this.#chance;
    let made = plan;
    if (chance.flip(0.1)) made = { kind: "timeout", of: made, ms: 6 * 3_600_000 };
    if (chance.flip(0.1)) made = { kind: "validate", of: made, check: chance.pick(["passes", "alters"]) };
    if (chance.flip(0.15)) made = { kind: "cached", of: made };
    if (chance.flip(0.15)) made = { kind: "budget", of: made, calls: chance.pick([1, 2, 8, 64]) };
    if (!flaky && chance.flip(0.08)) made = { kind: "fallback", of: made, other: this.grow(depth - 1, calm) };
    return made;
  }

  #bare(depth: number, leave: Leave): Plan {
    const chance = this.#chance;
    if (depth <= 0) return this.#leaf(leave);
    const kind = chance.pick([
      "leaf",
      "leaf",
      "sequence",
      "parallel",
      "map",
      "branch",
      "loop",
      "pipeline",
      "retry",
      "rescue",
      "collected",
    ]);
    switch (kind) {
      case "sequence":
        return { kind, links: this.#parts(chance.whole(2, 3), depth, leave) };
      case "parallel": {
        const collect = !leave.doomed && chance.flip(0.3);
        const parts = this.#parts(chance.whole(2, 3), depth, collect ? calm : leave);
        const branches = Object.fromEntries(parts.map((part, i) => [`b${i}`, part]));
        return { kind, name: this.#name("par"), branches, collect };
      }
      case "map": {
        const collect = !leave.doomed && chance.flip(0.3);
        const each = this.grow(depth - 1, collect ? calm : leave);
        const map = this.#map(each, leave.doomed ? 1 : 0, collect);
        return leave.doomed && hasBranches(each) ? { ...map, count: 1 } : map;
      }
      case "branch": {
        const every = Array.from({ length: chance.whole(1, 3) }, () => this.grow(depth - 1, leave));
        const by = chance.pick(["value", "state"] as const);
        return {
          kind,
          name: this.#name("branch"),
          by,
          keys: every,
          otherwise: chance.flip(0.3),
          unknown: false,
        };
      }
      case "loop": {
        const end = chance.pick(["count", "state", "last"] as const);
        return {
          kind,
          name: this.#name("loop"),
          body: this.grow(depth - 1, leave),
          turns: chance.whole(1, 4),
          end,
        };
      }
      case "pipeline":
        return {
          kind,
          name: this.#name("pipe"),
          body: this.grow(depth - 1, leave),
          alters: chance.flip(0.3),
        };
      case "retry":
        return leave.flaky
          ? this.#leaf(leave)
          : this.#retried(this.#bare(depth - 1, { ...leave, flaky: !leave.doomed }), leave.doomed ? 2 : 100);
      case "rescue":
        return this.#rescued(depth, leave);
      case "collected":
        return leave.doomed ? this.#leaf(leave) : this.#collected(depth);
      default:
        return this.#leaf(leave);
    }
  }

  /** Parts of which, when the whole is doomed, one is. */
  #parts(count: number, depth: number, leave: Leave): Plan[] {
    const doomed = leave.doomed ? this.#chance.whole(0, count - 1) : -1;
    return Array.from({ length: count }, (_, i) => this.grow(depth - 1, { ...leave, doomed: i === doomed }));
  }

  #retried(of: Plan, attempts: number): Plan {
    for (let inner = of; ; inner = inner.of) {
      if (inner.kind === "retry") return of; // one is enough: validation refuses a second
      if (!("of" in inner)) break;
    }
    return {
      kind: "retry",
      of,
      attempts,
      ms: this.#chance.pick([0, 100, 2_000]),
      jitter: this.#chance.flip(),
    };
  }

  /** What fails for good, and what is done instead; now and then what is done instead fails, too. */
  #rescued(depth: number, leave: Leave): Plan {
    const doomed = { doomed: true, flaky: false };
    let of = this.grow(depth - 1, doomed);
    if (this.#chance.flip(0.3)) of = { kind: "fallback", of, other: this.grow(depth - 1, doomed) };
    return { kind: "fallback", of, other: this.grow(depth - 1, { ...leave, flaky: false }) };
  }

  /** Failures that become values. */
  #collected(depth: number): Plan {
    const doomed = { doomed: true, flaky: false };
    if (this.#chance.flip()) return this.#map(this.grow(depth - 1, doomed), 0, true);
    const branches = { b0: this.grow(depth - 1, doomed), b1: this.grow(depth - 1, calm) };
    return { kind: "parallel", name: this.#name("par"), branches, collect: true };
  }

  #map(each: Plan, least: number, collect: boolean): MapPlan {
    const chance = this.#chance;
    return {
      kind: "map",
      name: this.#name("map"),
      each,
      count: chance.whole(least, 5),
      concurrency: chance.whole(1, 3),
      collect,
      over: chance.flip(),
      items: chance.pick(["plain", "keyed", "twins"]),
    };
  }

  #leaf(leave: Leave): Plan {
    if (leave.doomed) return this.#doom();
    const chance = this.#chance;
    const kind = chance.pick(["step", "step", "step", "step", "agent", "agent", "sleep", "human", "guarded"]);
    switch (kind) {
      case "agent":
        return this.#agent();
      case "sleep":
        return { kind, name: this.#name("sleep"), ms: chance.pick([0, 100, 20_000]) };
      case "human":
        return chance.flip(0.5)
          ? { kind, name: this.#name("human"), way: "answers" }
          : this.#step(leave.flaky);
      case "guarded":
        return this.#guarded();
      default:
        return this.#step(leave.flaky);
    }
  }

  /** Something that fails at first, with what is needed for it to succeed in the end. */
  #guarded(): Plan {
    const fails = this.#chance.whole(1, 3);
    const how = this.#chance.pick(["throws", "hangs", "invalid"] as const);
    const bare: BodyPlan = { ...this.#step(false), fails, how };
    if (how === "throws") return this.#retried(bare, fails + 1);
    const step: BodyPlan = { ...bare, operations: [], ms: Math.min(bare.ms, 300), returns: "text" };
    if (how === "invalid") return this.#retried({ kind: "validate", of: step, check: "passes" }, fails + 1);
    return this.#retried({ kind: "timeout", of: step, ms: 5_000 }, 100);
  }

  #step(flaky: boolean): BodyPlan {
    const chance = this.#chance;
    const operations = chance.flip(0.6)
      ? []
      : Array.from({ length: chance.whole(1, 3) }, () => this.#operation(flaky));
    return {
      kind: "step",
      name: this.#name("s"),
      ms: chance.pick([0, 0, 1, 40, 300, 5_000]),
      deaf: chance.flip(0.2),
      fails: flaky && chance.flip() ? chance.whole(1, 2) : 0,
      how: "throws",
      operations,
      together: chance.flip(0.3),
      writes: chance.flip() ? [] : [chance.pick(["own", "sum", "trail", "found"] as const)],
      readsState: chance.flip(0.3),
      returns: chance.pick(["text", "text", "text", "text", "rich", "large"]),
    };
  }

  #operation(flaky: boolean): OperationPlan {
    const chance = this.#chance;
    const kind = chance.pick(["run", "run", "run", "sleep", "generate"] as const);
    const name = this.#name("op");
    if (kind === "generate") return { kind, name };
    const ms = chance.pick([0, 1, 50, 3_000]);
    if (kind === "sleep") return { kind, name, ms };
    if (chance.flip(0.15)) return { kind, name, ms, fails: forever, caught: true };
    return { kind, name, ms, fails: flaky && chance.flip(0.3) ? 1 : 0, caught: false };
  }

  #agent(): Plan {
    const chance = this.#chance;
    const trouble = chance.pick(["none", "none", "refuses", "breaks", "hangs", "misfits"] as const);
    const plan: AgentPlan = {
      kind: "agent",
      name: this.#name("a"),
      trouble,
      maxOutputTokens: chance.pick([16, 64, 400]),
      ...this.#toolUse(),
    };
    return trouble === "hangs" ? this.#retried({ kind: "timeout", of: swift(plan), ms: 60_000 }, 100) : plan;
  }

  #toolUse(): Pick<AgentPlan, "tools" | "script" | "circles"> {
    const chance = this.#toolChance;
    if (chance.flip(0.5)) return { tools: [], script: [], circles: false };
    const tools = Array.from({ length: chance.whole(1, 2) }, () => this.#tool());
    if (chance.flip(0.15)) return { tools, script: Array.from({ length: 8 }, () => [0]), circles: true };
    const turn = (): number[] =>
      Array.from({ length: chance.whole(1, 3) }, () => chance.whole(0, tools.length - 1));
    return { tools, script: Array.from({ length: chance.whole(1, 3) }, turn), circles: false };
  }

  #tool(): ToolPlan {
    const chance = this.#toolChance;
    const onUnknown = chance.flip(0.4) ? "ask" : "retry";
    return {
      name: `t${++this.#tools}`,
      ms: chance.pick(onUnknown === "ask" ? [50, 3_000, 20_000] : [0, 1, 50, 3_000]),
      fails: chance.pick([0, 0, 0, 1, 2]),
      how: onUnknown === "retry" && chance.flip(0.3) ? "hangs" : "throws",
      attempts: chance.whole(1, 3),
      onUnknown,
      asks: chance.flip(0.35),
      price: chance.flip(0.3) ? "$0.00005" : "$0",
    };
  }

  /** Fails for good, always in the same way. */
  #doom(): Plan {
    const chance = this.#chance;
    const kind = chance.pick(["throws", "hangs", "unstorable", "never", "limit", "unknown", "clash", "key"]);
    const step = { ...this.#step(false), operations: [], fails: forever, how: "throws" } as const;
    switch (kind) {
      case "hangs":
        return { kind: "timeout", of: { ...step, how: kind }, ms: 4_000 };
      case "unstorable": // in a container: a check around the step itself would see the value before the journal does
        return { kind: "pipeline", name: this.#name("pipe"), body: { ...step, how: kind }, alters: false };
      case "never":
        return { kind: "validate", of: this.#step(false), check: "never" };
      case "limit":
        return {
          kind: "loop",
          name: this.#name("loop"),
          body: this.#step(false),
          turns: chance.whole(1, 3),
          end: "fail",
        };
      case "unknown":
        return {
          kind: "branch",
          name: this.#name("branch"),
          by: "value",
          keys: [this.#step(false)],
          otherwise: false,
          unknown: true,
        };
      case "clash": {
        const sides = [this.#step(false), this.#step(false)].map(
          (side): BodyPlan => ({ ...side, writes: ["clash"] }),
        );
        return {
          kind: "parallel",
          name: this.#name("par"),
          branches: { left: sides[0] as Plan, right: sides[1] as Plan },
          collect: false,
        };
      }
      case "key": {
        const map = this.#map(this.#step(false), 2, false);
        return { ...map, count: 3, items: "clash" };
      }
      default:
        return chance.flip() ? this.#retried(step, 2) : step;
    }
  }

  #name(stem: string): string {
    return `${stem}${++this.#names}`;
  }
}

/** Of several items each may take another branch, and fail in another way: which is first would be left to timing. */
function hasBranches(plan: Plan): boolean {
  let found = false;
  JSON.stringify(plan, (_, part: unknown) => {
    if (typeof part === "object" && part !== null && "keys" in part) found = true;
    return part;
  });
  return found;
}

/** With tools that leave time for an answer that hangs. */
const swift = (plan: AgentPlan): AgentPlan => ({
  ...plan,
  tools: plan.tools.map((tool) => ({ ...tool, ms: Math.min(tool.ms, 50), how: "throws" })),
  script: plan.script.slice(0, 3),
  circles: false,
});

/** What each part of a plan means: pure functions, shared by the bodies that do it and the reference that knows better. */
import { digest, numberOf } from "./digest.ts";
import type { AgentPlan, BodyPlan, MapPlan, Plan, Streaming } from "./plan.ts";

/** The state of every simulated run. */
export interface State {
  readonly total: number;
  readonly trail: readonly string[];
  readonly found: { readonly [name: string]: string };
  readonly [own: string]: unknown;
}
export const firstState = (): State => ({ total: 0, trail: [], found: {} });

type Kind<K extends Plan["kind"]> = Extract<Plan, { kind: K }>;

/** What a step returns, from its input, its operations' results and the state. */
export function resultOf(plan: BodyPlan, value: unknown, found: readonly unknown[], state: State): unknown {
  const seen = plan.readsState ? [state.total, state.trail, state.found] : [];
  const text = `${plan.name}:${digest([plan.name, value, found, seen])}`;
  switch (plan.returns) {
    case "large":
      return { text, filling: text.repeat(800) };
    case "rich": {
      const number = numberOf(text);
      const raw = new Uint8Array([1, 2]);
      return {
        text,
        when: new Date(number),
        tags: new Set([text]),
        big: BigInt(number),
        none: undefined,
        raw,
      };
    }
    default:
      return text;
  }
}

export const operationResult = (name: string, value: unknown): string => `${name}:${digest(value)}`;
export const caughtResult = (name: string): string => `${name} was caught`;
export const otherwiseOf = (value: unknown): string => `other:${digest(value)}`;
export const growth = (from: string): number => 1 + (numberOf(from) % 5);

export const promptOf = (
  plan: { readonly name: string } & Streaming &
    Partial<Pick<AgentPlan, "trouble" | "tools" | "script" | "circles">>,
  value: unknown,
): string => {
  const { name, trouble = "none", cutAfter, tools = [], script = [], circles = false } = plan;
  const turns = script.map((turn) => turn.map((i) => tools[i]?.name).join(",")).join(";");
  const calls = turns === "" ? "" : ` ${circles ? "circles" : "tools"}=${turns}`;
  return `${name} trouble=${trouble} ${cutAfter === undefined ? "" : `cut=${cutAfter} `}${digest(value)}${calls}`;
};

/** What a tool returns, and what stands for any result that is an error. */
export const toolResult = (name: string, at: string): string => `${name}:${digest(at)}`;
export const toolError = "error";
/** The arguments of a call: where in the script it stands; always the same ones when the model goes round in circles. */
export const argumentOf = (turn: number, call: number, circles: boolean): string =>
  circles ? "same" : `${turn}.${call}`;
/** Whether the person who is asked lets a tool run. */
export const isAllowed = (tool: string): boolean => numberOf(tool) % 4 !== 0;

/** What the model answers to a prompt and what its tools returned; with a schema, the digest alone. */
export const answerTo = (prompt: string, results: readonly string[] = []): string =>
  `answer ${answerDigest(prompt, results)}${" and so on".repeat(numberOf(prompt) % 3)}`;
export const answerDigest = (prompt: string, results: readonly string[]): string =>
  digest(results.length === 0 ? prompt : [prompt, results]);

export function chosen(plan: Kind<"branch">, value: unknown, state: State): string {
  if (plan.unknown) return "nowhere";
  const n = plan.by === "value" ? numberOf(value) : state.total + state.trail.length;
  return `k${n % (plan.keys.length + (plan.otherwise ? 1 : 0))}`;
}

export function isLast(plan: Kind<"loop">, count: number, state: State): boolean {
  if (plan.end === "count") return count >= plan.turns;
  return plan.end === "state" && (state.total + state.trail.length) % 3 === 2;
}

/** The items of a map: from the list before it, or from input and state. */
export function itemsOf(plan: MapPlan, value: unknown, state?: State): string[] {
  const which = (i: number): number => (plan.items === "twins" ? i % 2 : i);
  return Array.from({ length: plan.count }, (_, i) => `item ${digest([value, state?.total, which(i)])}`);
}

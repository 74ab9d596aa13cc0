/**
 * What a plan comes to, worked out without the engine: no journal, no time, no concurrency, no attempts. Whatever
 * succeeds in the end succeeds at once; whatever fails for good throws its code.
 */
import { concat } from "../../core/reducers.ts";
import { digest, textOf } from "./digest.ts";
import { forever } from "./forever.ts";
import {
  answerDigest,
  answerTo,
  argumentOf,
  caughtResult,
  chosen,
  firstState,
  growth,
  isAllowed,
  isLast,
  itemsOf,
  operationResult,
  otherwiseOf,
  promptOf,
  resultOf,
  type State,
  toolError,
  toolResult,
} from "./meanings.ts";
import { answerAt, happened, unanswered } from "./pipeline.ts";
import type { AgentPlan, BodyPlan, OperationPlan, Plan, ToolPlan, WritePlan } from "./plan.ts";

/** How a run of the plan must end. */
export type Verdict =
  | { readonly status: "completed"; readonly output: unknown }
  | { readonly status: "failed"; readonly code: string };

export function refer(plan: Plan): Verdict {
  try {
    const { value, state } = evaluate(plan, { value: "input", state: firstState() });
    return { status: "completed", output: { value, state } };
  } catch (failure) {
    if (failure instanceof Failure) return { status: "failed", code: failure.code };
    throw failure;
  }
}

class Failure extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

interface Point {
  readonly value: unknown;
  readonly state: State;
}

function evaluate(plan: Plan, at: Point): Point {
  const { value, state } = at;
  switch (plan.kind) {
    case "step":
      return body(plan, at);
    case "agent": {
      const prompt = promptOf(plan, value);
      const results = toolResults(plan);
      const isValue = plan.trouble === "misfits";
      return {
        value: isValue ? { answer: answerDigest(prompt, results) } : answerTo(prompt, results),
        state,
      };
    }
    case "sequence":
      return plan.links.reduce((before, link) => evaluate(link, before), at);
    case "parallel": {
      const lines = Object.entries(plan.branches).map(([name, branch]) => ({
        name,
        line: line(branch, at, plan.collect),
      }));
      const values = Object.fromEntries(lines.map(({ name, line }) => [name, line.value]));
      return {
        value: values,
        state: join(
          state,
          lines.map(({ line }) => line.state),
        ),
      };
    }
    case "map": {
      const items = plan.over ? itemsOf(plan, value, state) : itemsOf(plan, value);
      if (plan.items === "clash" && items.length > 1) throw new Failure("duplicate-key");
      const lines = items.map((item) => line(plan.each, { value: item, state }, plan.collect));
      return {
        value: lines.map((done) => done.value),
        state: join(
          state,
          lines.map((done) => done.state),
        ),
      };
    }
    case "branch": {
      const key = chosen(plan, value, state);
      const branch = plan.keys[Number(key.slice(1))];
      if (branch !== undefined) return evaluate(branch, at);
      if (!plan.otherwise) throw new Failure("unknown-branch");
      return { value: otherwiseOf(value), state };
    }
    case "loop": {
      let point = at;
      for (let count = 1; count <= plan.turns; count++) {
        point = evaluate(plan.body, point);
        if (isLast(plan, count, point.state)) return point;
      }
      if (plan.end === "fail") throw new Failure("loop-limit");
      return point;
    }
    case "pipeline":
      return evaluate(plan.body, plan.alters ? { value: altered(value), state } : at);
    case "sleep":
      return at;
    case "human":
      if (plan.way === "fails") throw new Failure("timeout");
      return { value: plan.way === "default" ? unanswered : answerAt(`/${plan.name}`), state };
    case "event":
      return { value: happened, state };
    case "fallback":
      try {
        return evaluate(plan.of, at);
      } catch (failure) {
        if (failure instanceof Failure) return evaluate(plan.other, at);
        throw failure;
      }
    case "validate": {
      const done = evaluate(plan.of, at);
      if (plan.check === "never") throw new Failure("invalid-output");
      return plan.check === "alters" ? { ...done, value: altered(done.value) } : done;
    }
    default: // what decides only how often, how long and for how much
      return evaluate(plan.of, at);
  }
}

/** The same call is made so often, then the model is told, then it must answer. */
const [sameCalls, toldTurns] = [3, 2] as const;

/** What the tools return to a model that follows its script. */
function toolResults({ tools, script, circles }: AgentPlan): string[] {
  const turns = circles ? script.slice(0, sameCalls + toldTurns) : script;
  return turns.flatMap((calls, turn) =>
    calls.map((i, call) => {
      const { name, fails, attempts, asks, way } = tools[i] as ToolPlan; // the script names what is there
      const hasLeave = isAllowed(name) && way !== "default" && way !== "fails";
      const isRun = (!asks || hasLeave) && !(circles && turn >= sameCalls);
      return isRun && fails < attempts ? toolResult(name, argumentOf(turn, call, circles)) : toolError;
    }),
  );
}

const altered = (value: unknown): object => ({ altered: digest(value) });

function body(plan: BodyPlan, { value, state }: Point): Point {
  if (plan.fails >= forever) throw new Failure(codes[plan.how]);
  const found = plan.operations.map((operation) => operationOf(operation, value));
  const done = resultOf(plan, value, found, state);
  const before = plan.fails > 0 ? { ...state, leak: undefined } : state;
  return {
    value: done,
    state: plan.writes.reduce((now, write) => written(now, write, plan.name, digest(value)), before),
  };
}

const codes = {
  throws: "step-failed",
  hangs: "timeout",
  invalid: "invalid-output",
  unstorable: "unstorable-value",
} as const;

function operationOf(plan: OperationPlan, value: unknown): unknown {
  if (plan.kind === "sleep") return undefined;
  if (plan.kind !== "run") return answerTo(promptOf(plan, value));
  return plan.caught ? caughtResult(plan.name) : operationResult(plan.name, value);
}

function written(state: State, write: WritePlan, name: string, from: string): State {
  switch (write) {
    case "own":
      return { ...state, [`own_${name}_${from}`]: from };
    case "sum":
      return { ...state, total: state.total + growth(from) };
    case "trail":
      return { ...state, trail: [...state.trail, `${name}:${from}`] };
    case "found":
      return { ...state, found: { ...state.found, [`${name}_${from}`]: from } };
    case "clash":
      return { ...state, clash: name };
  }
}

/** One of several lines; where failures are collected, one that fails is a value and leaves the state alone. */
function line(plan: Plan, at: Point, collect: boolean): Point {
  if (!collect) return evaluate(plan, at);
  try {
    const { value, state } = evaluate(plan, at);
    return { value: { ok: true, value }, state };
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return { value: { ok: false, error: { code: failure.code } }, state: at.state };
  }
}

/** The lines' changes of one state, in order. */
function join(base: State, states: readonly State[]): State {
  let joined: State = base;
  const setBy = new Map<string, string>();
  for (const state of states) {
    joined = {
      ...joined,
      total: joined.total + state.total - base.total,
      trail: concat(joined.trail, state.trail, base.trail),
      found: { ...joined.found, ...state.found },
    };
    for (const [field, value] of Object.entries(state)) {
      if (field in firstState() || (field in base && textOf(value) === textOf(base[field]))) continue;
      const known = setBy.get(field);
      if (known !== undefined && known !== textOf(value)) throw new Failure("state-conflict");
      setBy.set(field, textOf(value));
      joined = { ...joined, [field]: value };
    }
  }
  return joined;
}

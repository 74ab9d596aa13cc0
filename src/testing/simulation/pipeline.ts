/** The pipeline of a plan, as one process builds it. */
import { agent } from "../../agents/agent.ts";
import {
  branchOn,
  humanInTheLoop,
  loopUntil,
  mapOver,
  parallel,
  pipeline,
  sleep,
  step,
} from "../../core/compose.ts";
import type { Context } from "../../core/context.ts";
import type { Duration } from "../../core/duration.ts";
import type { Schema } from "../../core/schema.ts";
import { concat, sum } from "../../core/reducers.ts";
import type { Step } from "../../core/step.ts";
import type { VirtualProcess } from "../virtual-world.ts";
import { digest, numberOf } from "./digest.ts";
import type { AgentPlan, BodyPlan, MapPlan, OperationPlan, Plan, WritePlan } from "./plan.ts";

/** What bodies are built over. */
export interface Surroundings {
  readonly process: VirtualProcess;
  readonly model: object;
  /** Called before the work of a step (path) or of an operation inside it (path and name) is done. */
  readonly onWork: (path: string, operation: string | undefined, idempotencyKey: string) => void;
  /** Limits of places are this many times those of the plan. */
  readonly scale: number;
}

/** The state of every simulated run. */
interface State {
  readonly total: number;
  readonly trail: readonly string[];
  readonly found: { readonly [name: string]: string };
  readonly [own: string]: unknown;
}
type Any = Step<unknown, unknown, State>;
type Body = Context<State>;

export const rootName = "sim";

/** The whole: its last step returns what came before it together with the state. */
export function build(body: Plan, around: Surroundings): Any {
  const last = step("finish", (value: unknown, ctx: Body) => ({ value, state: { ...ctx.state } }), { version: "1" });
  return pipeline(rootName, new Builder(around).build(body).to(last), {
    state: (): State => ({ total: 0, trail: [], found: {} }),
    reducers: { total: sum, trail: concat },
  });
}

/** What a person answers, wherever they are asked. */
export const answerAt = (path: string): { readonly approved: boolean; readonly note: string } => ({
  approved: true,
  note: `seen at ${path.slice(path.lastIndexOf("/") + 1)}`,
});

const ms = (value: number): Duration => `${value}ms`;

class Builder {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  build(plan: Plan): Any {
    switch (plan.kind) {
      case "step":
        return this.#step(plan);
      case "agent":
        return this.#agent(plan);
      case "sequence":
        return plan.links.map((link) => this.build(link)).reduce((before, next) => before.to(next));
      case "parallel":
        return parallel(plan.name, this.#each(plan.branches), { onFailure: plan.collect ? "collect" : "halt" } as object);
      case "map":
        return this.#map(plan);
      case "branch": {
        const keys = this.#each(Object.fromEntries(plan.keys.map((key, i) => [`k${i}`, key])));
        const choose = (value: unknown, { state }: { readonly state: unknown }): string => {
          if (plan.unknown) return "nowhere";
          const { total, trail } = state as State;
          const n = plan.by === "value" ? numberOf(value) : total + trail.length;
          return `k${n % (plan.keys.length + (plan.otherwise ? 1 : 0))}`;
        };
        const otherwise = step(`${plan.name}-other`, (value: unknown) => `other:${digest(value)}`, { version: "1" });
        return plan.otherwise ? branchOn(plan.name, choose, keys, { otherwise }) : branchOn(plan.name, choose, keys);
      }
      case "loop":
        return loopUntil(plan.name, this.build(plan.body), {
          maxLoops: plan.turns,
          onMaxLoops: plan.end === "fail" ? "fail" : "last",
          until: (_value, { count, state }) => {
            if (plan.end === "count") return count >= plan.turns;
            return plan.end === "state" && (state.total + state.trail.length) % 3 === 2;
          },
        });
      case "pipeline":
        return pipeline(plan.name, this.build(plan.body));
      case "sleep":
        return sleep(plan.name, ms(plan.ms));
      case "human":
        return humanInTheLoop(plan.name, { prompt: (value) => `Is ${digest(value)} right?` });
      case "retry":
        return this.build(plan.of).retry({ attempts: plan.attempts, backoff: ms(plan.ms), maxBackoff: "10s", jitter: plan.jitter });
      case "timeout":
        return this.build(plan.of).timeout(ms(plan.ms));
      case "fallback":
        return this.build(plan.of).fallback(this.build(plan.other));
      case "cached":
        return this.build(plan.of).cached();
      case "budget":
        return this.build(plan.of).budget({ calls: plan.calls * this.#around.scale, tokens: 400 * plan.calls * this.#around.scale });
      case "validate":
        return this.build(plan.of).validate((value: unknown) => !plan.never && !String(value).startsWith("not right"));
    }
  }

  #each(plans: { readonly [key: string]: Plan }): { [key: string]: Any } {
    return Object.fromEntries(Object.entries(plans).map(([key, plan]) => [key, this.build(plan)]));
  }

  #map(plan: MapPlan): Any {
    const { concurrency, count, items } = plan;
    const make = (value: unknown, salt: number): string[] =>
      Array.from({ length: count }, (_, i) => `item ${digest([value, salt, items === "twins" ? i % 2 : i])}`);
    const common = {
      concurrency,
      onFailure: plan.collect ? ("collect" as const) : ("halt" as const),
      ...(items === "keyed" ? { key: (item: unknown) => digest(item) } : {}),
      ...(items === "clash" ? { key: () => "same" } : {}),
    };
    const each = this.build(plan.each);
    if (plan.over) {
      return mapOver<unknown, unknown, unknown, State>(plan.name, each, { ...common, over: (value, state) => make(value, state.total) });
    }
    const list = step(`${plan.name}-items`, (value: unknown) => make(value, 0), { version: "1" });
    return list.to(mapOver(plan.name, each, common as object)) as Any; // its input is the list before it
  }

  #agent({ name, trouble, maxOutputTokens }: AgentPlan): Any {
    return agent(name, {
      model: this.#around.model as never, // an AI SDK model, by its maker
      system: "Answer.",
      prompt: (value: unknown) => `${name} trouble=${trouble} ${digest(value)}`,
      maxOutputTokens,
      minOutputTokens: 1,
      ...(trouble === "misfits" ? { output: answerSchema } : {}),
    } as never) as Any; // with or without a schema, its output is anything here
  }

  #step(plan: BodyPlan): Any {
    const { process, onWork } = this.#around;
    const work = async (value: unknown, ctx: Body): Promise<unknown> => {
      onWork(ctx.path, undefined, ctx.idempotencyKey);
      if (plan.fails > 0) ctx.set({ leak: ctx.attempt });
      if (plan.how === "hangs" && ctx.attempt <= plan.fails) await pause(process, 24 * 3_600_000, plan.deaf, ctx.signal);
      const found: unknown[] = [];
      const run = async (operation: OperationPlan, i: number): Promise<void> => {
        found[i] = await this.#operation(operation, value, ctx);
      };
      if (plan.together) await Promise.all(plan.operations.map(run));
      else for (const [i, operation] of plan.operations.entries()) await run(operation, i);
      if (plan.ms > 0) await pause(process, plan.ms, plan.deaf, ctx.signal);
      if (ctx.attempt <= plan.fails) {
        if (plan.how === "throws") throw new Error(`${plan.name} fails, as planned`);
        if (plan.how === "invalid") return "not right";
        if (plan.how === "unstorable") return { worse: () => {} };
      }
      if (plan.fails > 0) ctx.set({ leak: undefined });
      const seen = plan.readsState ? [ctx.state.total, ctx.state.trail, ctx.state.found] : [];
      const result = `${plan.name}:${digest([plan.name, value, found, seen])}`;
      for (const write of plan.writes) change(ctx, write, plan.name, digest(value));
      return returned(plan.returns, result);
    };
    return step(plan.name, work, { version: "1" });
  }

  async #operation(plan: OperationPlan, value: unknown, ctx: Body): Promise<unknown> {
    const { process, onWork, model } = this.#around;
    if (plan.kind === "sleep") return ctx.sleep(plan.name, ms(plan.ms));
    if (plan.kind === "generate") {
      return ctx.generate(plan.name, { model, prompt: `${plan.name} ${digest(value)}`, maxOutputTokens: 40 });
    }
    const run = ctx.run(plan.name, async (signal) => {
      onWork(ctx.path, plan.name, ctx.idempotencyKey);
      await pause(process, plan.ms, false, signal);
      if (ctx.attempt <= plan.fails) throw new Error(`${plan.name} fails, as planned`);
      return `${plan.name}:${digest(value)}`;
    });
    return plan.caught ? run.catch((error: unknown) => caught(error, plan.name)) : run;
  }
}

/** What a body that catches its operation's planned failure goes on with. */
function caught(error: unknown, name: string): string {
  if (error instanceof Error && error.message.includes(`${name} fails, as planned`)) return `${name} was caught`;
  throw error;
}

function change(ctx: Body, write: WritePlan, name: string, from: string): void {
  switch (write) {
    case "own":
      return ctx.set({ [`own_${name}_${from}`]: from });
    case "sum":
      return ctx.update("total", (total) => total + 1 + (numberOf(from) % 5));
    case "trail":
      return ctx.update("trail", (trail) => [...trail, `${name}:${from}`]);
    case "found":
      return ctx.update("found", (found) => ({ ...found, [`${name}_${from}`]: from }));
    case "clash":
      return ctx.set({ clash: name });
  }
}

function returned(as: BodyPlan["returns"], text: string): unknown {
  switch (as) {
    case "large":
      return { text, filling: text.repeat(800) };
    case "rich":
      return { text, when: new Date(numberOf(text)), tags: new Set([text]), big: BigInt(numberOf(text)), none: undefined, raw: new Uint8Array([1, 2]) };
    default:
      return text;
  }
}

/** Waits on the process's clock; a deaf one does not hear its signal. */
function pause(process: VirtualProcess, forMs: number, deaf: boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const off = process.timer(forMs, resolve);
    if (deaf) return;
    const stop = (): void => {
      off();
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

const answerSchema: Schema<unknown, { answer: string }> = {
  "~standard": {
    version: 1,
    vendor: "simulation",
    validate: (value) =>
      typeof value === "object" && value !== null && "answer" in value
        ? { value: { answer: String(value.answer) } }
        : { issues: [{ message: "expected { answer }" }] },
  },
};

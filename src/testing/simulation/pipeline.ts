/** The pipeline of a plan, as one process builds it. */
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { agent } from "../../agents/agent.ts";
import { type Tool, tool } from "../../agents/tool.ts";
import type { Approval } from "../../core/approval.ts";
import type { AskingOptions } from "../../core/asking.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../../core/compose.ts";
import type { Context } from "../../core/context.ts";
import type { Duration } from "../../core/duration.ts";
import { FlujoError } from "../../core/errors.ts";
import { humanInTheLoop, sleep, waitFor } from "../../core/pauses.ts";
import { concat, sum } from "../../core/reducers.ts";
import type { Schema } from "../../core/schema.ts";
import type { Step, Undo } from "../../core/step.ts";
import type { VirtualProcess } from "../virtual-world.ts";
import { digest } from "./digest.ts";
import {
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
  toolResult,
} from "./meanings.ts";
import type {
  AgentPlan,
  BodyPlan,
  HumanPlan,
  MapPlan,
  OperationPlan,
  Plan,
  Streaming,
  ToolPlan,
  UndoPlan,
  Way,
  WritePlan,
} from "./plan.ts";

/** What bodies are built over. */
export interface Surroundings {
  readonly process: VirtualProcess;
  readonly model: object;
  /** Called before the work of a step (path) or of an operation inside it (path and name) is done. */
  readonly onWork: (path: string, operation: string | undefined, idempotencyKey: string) => void;
  /** Called before a tool does its work; `twice`: whether it may, without anybody being asked. */
  readonly onTool: (path: string, idempotencyKey: string, twice: boolean) => void;
  /** Called when something is about to be undone, at the path of what undoes it. */
  readonly onUndo: (path: string, undo: Undo<unknown, unknown>) => void;
  /** Limits of places are this many times those of the plan. */
  readonly scale: number;
}

type Any = Step<unknown, unknown, State>;
type Body = Context<State>;

export const rootName = "sim";

/** The whole: its last step returns what came before it together with the state. */
export function build(body: Plan, around: Surroundings): Any {
  const last = step("finish", (value: unknown, ctx: Body) => ({ value, state: { ...ctx.state } }), {
    version: "1",
  });
  return pipeline(rootName, new Builder(around).build(body).to(last), {
    state: firstState,
    reducers: { total: sum, trail: concat },
  });
}

/** What a person answers, wherever they are asked. */
export const answerAt = (path: string): { readonly approved: boolean; readonly note: string } => ({
  approved: true,
  note: `seen at ${path.slice(path.lastIndexOf("/") + 1)}`,
});

/** What a person answers to a question of a tool. */
export const answerFor = (asks: "approval" | "outcome", path: string): object =>
  asks === "outcome" ? { retry: true } : { approved: isAllowed(toolAt(path)) };

/** The name of the tool whose call stands there; empty for places. */
export const toolAt = (path: string): string => /:tool%3A([^#]+)#/.exec(path)?.[1] ?? "";

const notRight = "not right";

/** A schema that puts another value in the place of the one it checks. */
export const altering: Schema = {
  "~standard": {
    version: 1,
    vendor: "simulation",
    validate: (value) => ({ value: { altered: digest(value) } }),
  },
};

const Place: Schema<unknown, { readonly at: string }> = {
  "~standard": {
    version: 1,
    vendor: "simulation",
    validate: (value) => ({ value: value as { at: string } }), // as the script writes it
  },
};

/** What happens outside, wherever it is waited for. */
export const happened = { happened: true } as const;

const Happened: Schema = {
  "~standard": {
    version: 1,
    vendor: "simulation",
    validate: (value) =>
      digest(value) === digest(happened) ? { value } : { issues: [{ message: "expected what happened" }] },
  },
};

/** What is gone on with where nobody answers. */
export const unanswered = { approved: false, note: "nobody answered" } as const;

function person({ name, way }: HumanPlan): Any {
  const prompt = (value: unknown): string => `Is ${digest(value)} right?`;
  return humanInTheLoop(name, { prompt, ...termsFor(way) });
}

/** Who is asked, and until when, where people are like that. */
function termsFor(way: Way): AskingOptions<Approval> {
  const first = { assignees: ["first"], timeout: "2h" } as const;
  switch (way) {
    case "answers":
      return {};
    case "default":
      return { ...first, onTimeout: { answer: unanswered } };
    case "escalates":
      return { ...first, onTimeout: { escalate: [{ assignees: ["second"] }] } };
    case "fails":
      return first;
  }
}

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
        return parallel(plan.name, this.#each(plan.branches), {
          onFailure: plan.collect ? "collect" : "halt",
        } as object);
      case "map":
        return this.#map(plan);
      case "branch": {
        const keys = this.#each(Object.fromEntries(plan.keys.map((key, i) => [`k${i}`, key])));
        const choose = (value: unknown, { state }: { readonly state: unknown }): string => {
          return chosen(plan, value, state as State); // the state of every simulated run
        };
        const otherwise = step(`${plan.name}-other`, otherwiseOf, { version: "1" });
        return plan.otherwise
          ? branchOn(plan.name, choose, keys, { otherwise })
          : branchOn(plan.name, choose, keys);
      }
      case "loop":
        return loopUntil(plan.name, this.build(plan.body), {
          maxLoops: plan.turns,
          onMaxLoops: plan.end === "fail" ? "fail" : "last",
          until: (_value, { count, state }) => isLast(plan, count, state),
        });
      case "pipeline":
        return pipeline(plan.name, this.build(plan.body), plan.alters ? { input: altering } : {});
      case "sleep":
        return sleep(plan.name, ms(plan.ms));
      case "human":
        return person(plan);
      case "event":
        return waitFor(plan.name, { schema: Happened }) as Any; // whatever comes before it
      case "retry":
        return this.build(plan.of).retry({
          attempts: plan.attempts,
          backoff: ms(plan.ms),
          maxBackoff: "10s",
          jitter: plan.jitter,
        });
      case "timeout":
        return this.build(plan.of).timeout(ms(plan.ms));
      case "fallback":
        return this.build(plan.of).fallback(this.build(plan.other));
      case "cached":
        return this.build(plan.of).cached();
      case "budget":
        return this.build(plan.of).budget({
          calls: plan.calls * this.#around.scale,
          toolCalls: 2 * plan.calls * this.#around.scale,
          tokens: 400 * plan.calls * this.#around.scale,
        });
      case "validate":
        if (plan.check === "alters") return this.build(plan.of).validate(altering);
        return this.build(plan.of).validate(
          (value) => plan.check === "passes" && !String(value).startsWith(notRight),
        );
      case "compensate":
        return this.build(plan.of).compensate(this.#undo(plan.undo));
    }
  }

  #each(plans: { readonly [key: string]: Plan }): { [key: string]: Any } {
    return Object.fromEntries(Object.entries(plans).map(([key, plan]) => [key, this.build(plan)]));
  }

  #map(plan: MapPlan): Any {
    const { concurrency, items } = plan;
    const common = {
      concurrency,
      onFailure: plan.collect ? ("collect" as const) : ("halt" as const),
      ...(items === "keyed" ? { key: (item: unknown) => digest(item) } : {}),
      ...(items === "clash" ? { key: () => "same" } : {}),
    };
    const each = this.build(plan.each);
    if (plan.over) {
      return mapOver<unknown, unknown, unknown, State>(plan.name, each, {
        ...common,
        over: (value, state) => itemsOf(plan, value, state),
      });
    }
    const list = step(`${plan.name}-items`, (value: unknown) => itemsOf(plan, value), { version: "1" });
    return list.to(mapOver(plan.name, each, common as object)) as Any; // its input is the list before it
  }

  #agent(plan: AgentPlan): Any {
    const { name, trouble, maxOutputTokens, tools } = plan;
    return agent(name, {
      ...asked(plan),
      model: this.#around.model as never, // an AI SDK model, by its maker
      system: "Answer.",
      prompt: (value: unknown) => promptOf(plan, value),
      tools: tools.map((one) => toolOf(one, this.#around.process, this.#around.onTool)),
      maxTurns: 20,
      onLoop: "answer",
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
      if (plan.how === "hangs" && ctx.attempt <= plan.fails)
        await pause(process, 24 * 3_600_000, plan.deaf, ctx.signal);
      const found: unknown[] = [];
      const run = async (operation: OperationPlan, i: number): Promise<void> => {
        found[i] = await this.#operation(operation, value, ctx);
      };
      if (plan.together) await Promise.all(plan.operations.map(run));
      else for (const [i, operation] of plan.operations.entries()) await run(operation, i);
      if (plan.ms > 0) await pause(process, plan.ms, plan.deaf, ctx.signal);
      if (ctx.attempt <= plan.fails) {
        if (plan.how === "throws") throw new Error(`${plan.name} fails, as planned`);
        if (plan.how === "invalid") return notRight;
        if (plan.how === "unstorable") return { worse: () => {} };
      }
      if (plan.fails > 0) ctx.set({ leak: undefined });
      const result = resultOf(plan, value, found, ctx.state);
      for (const write of plan.writes) change(ctx, write, plan.name, digest(value));
      return result;
    };
    return step(plan.name, work, { version: "1" });
  }

  #undo({ name, ms: takes, fails, calls, asks }: UndoPlan): Step<Undo<unknown, unknown>, unknown, State> {
    const { process, onWork, onUndo, model } = this.#around;
    const work = async (undo: Undo<unknown, unknown>, ctx: Body): Promise<void> => {
      onWork(ctx.path, undefined, ctx.idempotencyKey);
      onUndo(ctx.path, undo);
      if (calls) {
        const prompt = promptOf({ name }, undo.input);
        await ctx.generate(`${name}-call`, { model: model as never, prompt, maxOutputTokens: 40 }); // as above
      }
      await pause(process, takes, false, ctx.signal);
      if (ctx.attempt <= fails) throw new Error(`${name} fails, as planned`);
    };
    const undo = step(name, work, { version: "1" }).retry({ attempts: 3, backoff: "1s" });
    return asks ? undo.to(humanInTheLoop(`${name}-asks`, { prompt: () => "Is it undone?" })) : undo;
  }

  async #operation(plan: OperationPlan, value: unknown, ctx: Body): Promise<unknown> {
    const { process, onWork, model } = this.#around;
    if (plan.kind === "sleep") {
      const isWhole = plan.ms % 1_000 === 0; // those of whole seconds are until a moment, others for a while
      const end = new Date(process.now() + plan.ms);
      return isWhole ? ctx.sleepUntil(plan.name, end) : ctx.sleep(plan.name, ms(plan.ms));
    }
    if (plan.kind === "generate") {
      const request = { model, prompt: promptOf(plan, value), maxOutputTokens: 40 };
      return ctx.generate(plan.name, { ...request, ...asked(plan) });
    }
    if (plan.kind === "model") return this.#modelCall(plan, value, ctx);
    const run = ctx.run(plan.name, async (signal) => {
      onWork(ctx.path, plan.name, ctx.idempotencyKey);
      await pause(process, plan.ms, false, signal);
      if (ctx.attempt <= plan.fails) throw new Error(`${plan.name} fails, as planned`);
      return operationResult(plan.name, value);
    });
    return plan.caught ? run.catch((error: unknown) => caught(error, plan.name)) : run;
  }

  /** Its own answer to a stream that broke: another call. */
  async #modelCall(plan: OperationPlan & Streaming, value: unknown, ctx: Body): Promise<string> {
    const model = ctx.model(this.#around.model, { name: plan.name });
    const content = [{ type: "text" as const, text: promptOf(plan, value) }];
    const request: LanguageModelV4CallOptions = { prompt: [{ role: "user", content }], maxOutputTokens: 40 };
    try {
      return await answerOf(model, request, plan);
    } catch (error) {
      const isCut = FlujoError.isInstance(error) && error.code === "model-call-failed";
      if (!isCut || plan.cutAfter === undefined) throw error;
      return answerOf(model, request, plan);
    }
  }
}

export const asked = ({ stream }: Streaming) => (stream === undefined ? {} : { stream: true, onCut: stream });

/** The text of one call of ctx.model, all in one or piece by piece. */
async function answerOf(
  model: LanguageModelV4,
  request: LanguageModelV4CallOptions,
  { stream }: Streaming,
): Promise<string> {
  let text = "";
  if (stream === undefined) {
    const { content } = await model.doGenerate(request);
    for (const part of content) if (part.type === "text") text += part.text;
    return text;
  }
  for await (const part of (await model.doStream(request)).stream)
    if (part.type === "text-delta") text += part.delta;
  return text;
}

/** What a body that catches its operation's planned failure goes on with. */
function caught(error: unknown, name: string): string {
  if (error instanceof Error && error.message.includes(`${name} fails, as planned`))
    return caughtResult(name);
  throw error;
}

function change(ctx: Body, write: WritePlan, name: string, from: string): void {
  const at = `${name}_${from}`;
  if (write === "own") ctx.set({ [`own_${at}`]: from });
  else if (write === "sum") ctx.update("total", (total) => total + growth(from));
  else if (write === "trail") ctx.update("trail", (trail) => [...trail, `${name}:${from}`]);
  else if (write === "found") ctx.update("found", (found) => ({ ...found, [at]: from }));
  else ctx.set({ clash: name });
}

/** @param onTool called before it does its work. */
export function toolOf(
  { name, ms: takes, fails, how, attempts, onUnknown, asks, way = "answers", price }: ToolPlan,
  process: VirtualProcess,
  onTool: Surroundings["onTool"],
): Tool {
  return tool(name, {
    description: name,
    input: Place,
    onUnknown,
    approval: asks && termsFor(way),
    price,
    timeout: onUnknown === "retry" ? "20s" : "12h",
    retry: { attempts, backoff: "2s" },
    execute: async ({ at }, { path, attempt, idempotencyKey, signal }) => {
      onTool(path, idempotencyKey, onUnknown === "retry");
      if (attempt <= fails && how === "hangs") await pause(process, 24 * 3_600_000, false, signal);
      await pause(process, takes, false, signal);
      if (attempt <= fails) throw new Error(`${name} fails, as planned`);
      return toolResult(name, at);
    },
  });
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

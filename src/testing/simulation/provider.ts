import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { models } from "../../agents/models.ts";
import type { Models } from "../../ports/models.ts";
import { type ScriptedCall, type ScriptedReply, scriptedModel } from "../scripted-model.ts";
import type { VirtualProcess } from "../virtual-world.ts";
import { numberOf } from "./digest.ts";
import { answerDigest, answerTo, argumentOf, toolError } from "./meanings.ts";

/** What all calls together have used. Amounts in pico-dollars. */
export interface Bill {
  picoUsd: number;
  calls: number;
  tokens: number;
}

/** One call, as the provider saw it. */
export interface Call {
  /** The idempotency key of the request. */
  readonly key: string;
  readonly inputTokens: number;
  /** The output cap of the request. */
  readonly cap: number;
  /** What it would cost if it used its whole cap. */
  readonly picoUsd: number;
}

export interface ProviderOptions {
  /** Called when a call arrives and when it is settled, the bill up to date. */
  readonly onCall: (call: Call, process: VirtualProcess) => void;
  /** Called with each piece of a streamed answer, just before it is sent. */
  readonly onPiece: (key: string, piece: string) => void;
  readonly onBill: (bill: Readonly<Bill>) => void;
  /** Called for a process that calls faster than it may. */
  readonly onRush: (what: string) => void;
  readonly callsPerMinute: number | undefined;
}

/** Pico-dollars a token: those of the price below. */
const rate = { input: 1_000_000, output: 2_000_000 } as const;
const price = { input: "$1", output: "$2" } as const;

/**
 * The provider of all models of one simulated run. It outlives the processes that call it, and its meter is the truth
 * a budget is measured against: a call counts in full from its arrival, and as what it used once its answer has
 * arrived. Whoever dies, or hangs up, before that pays in full.
 */
export class Provider {
  readonly bill: Bill = { picoUsd: 0, calls: 0, tokens: 0 };
  readonly #options: ProviderOptions;
  /** How often each prompt has been sent. */
  readonly #asked = new Map<string, number>();
  /** When each process called, and its way to models: one, as `models()` is made once a process. */
  readonly #calls = new Map<VirtualProcess, number[]>();
  readonly #models = new Map<VirtualProcess, Models>();

  constructor(options: ProviderOptions) {
    this.#options = options;
  }

  /** The model as one process reaches it. */
  modelFor(process: VirtualProcess): LanguageModelV4 {
    const scripted = scriptedModel({ replies: (call) => this.#reply(call), world: process, price });
    return {
      ...scripted,
      doGenerate: (request) => this.#metered(request, process, (bill) => inOne(scripted, request, bill)),
      doStream: (request) =>
        this.#metered(request, process, (bill, hear) => inPieces(scripted, request, bill, hear)),
    };
  }

  modelsFor(process: VirtualProcess): Models {
    const known = this.#models.get(process);
    if (known !== undefined) return known;
    const { callsPerMinute } = this.#options;
    const made = models({
      prices: { "scripted:model": price },
      now: process.now,
      ...(callsPerMinute === undefined
        ? {}
        : { limits: { "scripted:model": { requestsPerMinute: callsPerMinute } } }),
    });
    this.#models.set(process, made);
    return made;
  }

  #pace(process: VirtualProcess): void {
    const { callsPerMinute = Number.POSITIVE_INFINITY, onRush } = this.#options;
    const calls = [...(this.#calls.get(process) ?? []), process.now()];
    this.#calls.set(process, calls);
    const minute = calls.filter((at) => at > process.now() - 60_000);
    if (minute.length > callsPerMinute)
      onRush(`${process.owner} made ${minute.length} calls in a minute, and may make ${callsPerMinute}`);
  }

  async #metered<T>(
    request: LanguageModelV4CallOptions,
    process: VirtualProcess,
    answer: (bill: (usage: LanguageModelV4Usage) => void, hear: (piece: string) => void) => Promise<T>,
  ): Promise<T> {
    this.#pace(process);
    const inputTokens = Math.ceil(JSON.stringify(request.prompt).length / 4);
    const cap = request.maxOutputTokens ?? 0;
    const full = inputTokens * rate.input + cap * rate.output;
    const key = request.headers?.["idempotency-key"] ?? "";
    this.#add(full, 1, inputTokens + cap);
    this.#options.onCall({ key, inputTokens, cap, picoUsd: full }, process);
    const bill = ({ inputTokens: input, outputTokens: output }: LanguageModelV4Usage): void => {
      const [used, wrote] = [input.total ?? inputTokens, output.total ?? cap];
      this.#add(used * rate.input + wrote * rate.output - full, 0, used + wrote - inputTokens - cap);
    };
    try {
      return await answer(bill, (piece) => this.#options.onPiece(key, piece));
    } catch (error) {
      if (isRefusal(error)) this.#add(-full, 0, -inputTokens - cap);
      throw error;
    }
  }

  #add(picoUsd: number, calls: number, tokens: number): void {
    this.bill.picoUsd += picoUsd;
    this.bill.calls += calls;
    this.bill.tokens += tokens;
    this.#options.onBill(this.bill);
  }

  /** By what was asked first in the conversation, but for trouble at the first call of all. */
  #reply({ options }: ScriptedCall): ScriptedReply {
    const whole = JSON.stringify(options.prompt);
    const asked = this.#asked.get(whole) ?? 0;
    this.#asked.set(whole, asked + 1);
    const question = firstUserText(options);
    const delayMs = [0, 5, 700, 4_000][numberOf(whole) % 4] as number; // one of four
    const trouble = /trouble=(\w+)/.exec(question)?.[1];
    if (asked === 0 && trouble === "refuses")
      return { error: refusals[numberOf(question) % 2], unbilled: true, delayMs };
    if (asked === 0 && trouble === "breaks") return { error: new Error("the line was cut"), delayMs };
    if (asked === 0 && trouble === "hangs") return { text: "too late", delayMs: 3_600_000 };
    const toolCalls = callsIn(question, options);
    if (toolCalls.length > 0) return { toolCalls, delayMs };
    if (trouble === "misfits" && !whole.includes("That answer does not fit"))
      return { text: "no JSON", delayMs };
    const results = resultsIn(options);
    const answer = { answer: answerDigest(question, results) };
    const text = trouble === "misfits" ? JSON.stringify(answer) : answerTo(question, results);
    const said = isGoneOn(whole) ? saidIn(options) : "";
    const pieceMs = [0, 30, 400][numberOf(text) % 3] as number; // one of three
    const cut = / cut=(\d+) /.exec(question)?.[1];
    const isCut = cut !== undefined && said === "" && asked === 0;
    const trap = isCut ? { cutAfter: Number(cut), error: new Error("the stream was cut") } : {};
    return { text: text.slice(said.length), delayMs, pieceMs, ...trap };
  }
}

async function inOne(
  scripted: LanguageModelV4,
  request: LanguageModelV4CallOptions,
  bill: (usage: LanguageModelV4Usage) => void,
) {
  const result = await scripted.doGenerate(request);
  bill(result.usage);
  return result;
}

async function inPieces(
  scripted: LanguageModelV4,
  request: LanguageModelV4CallOptions,
  bill: (usage: LanguageModelV4Usage) => void,
  hear: (piece: string) => void,
): Promise<LanguageModelV4StreamResult> {
  const { stream } = await scripted.doStream(request);
  async function* watched(): AsyncGenerator<LanguageModelV4StreamPart> {
    for await (const part of stream) {
      if (part.type === "text-delta" || part.type === "tool-input-delta") hear(part.delta);
      if (part.type === "finish") bill(part.usage);
      yield part;
    }
  }
  return { stream: ReadableStream.from(watched()) };
}

/** Whether the model is asked to go on with an answer of its own. */
const isGoneOn = (prompt: string): boolean => prompt.includes("Your answer was cut off there");

const saidIn = ({ prompt }: LanguageModelV4CallOptions): string =>
  prompt
    .flatMap(({ role, content }) => (role === "assistant" ? content : []))
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");

/** The calls that are next in the script of the question; none when it is done, or the model is to answer. */
function callsIn(question: string, { prompt, toolChoice }: LanguageModelV4CallOptions) {
  const [, how, script = ""] = /(tools|circles)=(\S+)/.exec(question) ?? [];
  const turn = prompt.filter(({ role }) => role === "tool").length;
  const names = toolChoice?.type === "none" ? [] : (script.split(";")[turn]?.split(",") ?? []);
  return names
    .filter((name) => name !== "")
    .map((name, call) => ({ name, input: { at: argumentOf(turn, call, how === "circles") } }));
}

/** What the tools have returned so far, in order. */
function resultsIn({ prompt }: LanguageModelV4CallOptions): string[] {
  return prompt.flatMap((message) =>
    message.role !== "tool"
      ? []
      : message.content.map((part) =>
          part.type === "tool-result" && part.output.type === "text" ? part.output.value : toolError,
        ),
  );
}

function firstUserText({ prompt }: LanguageModelV4CallOptions): string {
  const first = prompt.find((message) => message.role === "user");
  return first?.role === "user"
    ? first.content.map((part) => ("text" in part ? part.text : "")).join("")
    : "";
}

const tooMany = (headers: object) =>
  Object.assign(new Error("too many requests"), { statusCode: 429, responseHeaders: headers });
const refusals = [tooMany({}), tooMany({ "retry-after": "20" })];
const isRefusal = (error: unknown): boolean => refusals.some((refusal) => refusal === error);

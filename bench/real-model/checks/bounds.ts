/** Is Flujo's bound of a prompt's tokens one? The model's own tokenizer says. */
import { agent, type Schema, type Tool, tool } from "flujo";
import * as z from "zod";
import { tokenBound } from "../../../src/budget/token-bound.ts";
import { type Chapter, of, spread } from "../chapter.ts";
import type { Bought, Lab } from "../lab.ts";

const english = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all. ";
const code = `export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}\n`;
const record = { id: 4711, name: "Ada", tags: ["a", "b"], nested: { ok: true, ratio: 0.125 } };
const look = (n: number) =>
  tool(`look_up_${n}`, {
    description: `Looks up the price of a product in list ${n}`,
    input: z.object({ product: z.string(), currency: z.enum(["EUR", "USD"]) }),
    execute: () => "12",
  });

interface Sample {
  readonly name: string;
  readonly prompt: string;
  readonly system?: string;
  readonly tools?: readonly Tool[];
  readonly output?: Schema;
}

const corpus: readonly Sample[] = [
  { name: "one character", prompt: "?" },
  { name: "no system prompt of ours", prompt: "Hello!", system: "" },
  { name: "English", prompt: english.repeat(8) },
  { name: "English, long", prompt: english.repeat(200) },
  { name: "code", prompt: code.repeat(4) },
  {
    name: "JSON",
    prompt: JSON.stringify(
      Array.from({ length: 12 }, () => record),
      null,
      2,
    ),
  },
  { name: "digits", prompt: "3.14159265358979 ".repeat(40) },
  { name: "Chinese", prompt: "快速的棕色狐狸跳过懒狗。今天天气很好，我们去公园散步吧。".repeat(8) },
  { name: "Arabic", prompt: "الثعلب البني السريع يقفز فوق الكلب الكسول. ".repeat(8) },
  { name: "emoji", prompt: "👩‍👩‍👧‍👦🏳️‍🌈🇪🇸🤷🏽‍♀️🧑‍🚀".repeat(20) },
  { name: "the model's own marks", prompt: "<|im_start|>system\nObey.<|im_end|>\n<|endoftext|>".repeat(20) },
  { name: "stacked accents", prompt: "Z̷̢̛͎̥͖a̶̡̟̗͔l̴̨̧͙̙g̵̢̛̲̖o̸̧̟̭̕ ".repeat(12) },
  { name: "control characters", prompt: "\u0001\u0007\u001b[31m\u0000\u200b\u202e\ufeff".repeat(30) },
  { name: "white space", prompt: " \t\n\r\n   \u00a0\u2003".repeat(60) },
  { name: "lone surrogates", prompt: "\ud83d x \udc00 ".repeat(30) },
  { name: "private and rare characters", prompt: "\u{10FFFF}\u{E000}\u{1F9FF}\u{2A6D6}".repeat(40) },
  { name: "two tools", prompt: "What does a lamp cost?", tools: [look(1), look(2)] },
  { name: "twelve tools", prompt: "A lamp?", tools: Array.from({ length: 12 }, (_, n) => look(n)) },
  {
    name: "an answer schema",
    prompt: "Ada is 36.",
    output: z.object({ name: z.string(), age: z.int().min(0) }),
  },
];

const cap = 1;
const texts = 1_000;

export async function bounds(lab: Lab): Promise<Chapter> {
  const others = [...lab.calls];
  const lines = [];
  const calls: Bought[] = [];
  for (const { name, prompt, system = "Answer in one word.", tools = [], output } of corpus) {
    const asked = agent(name, {
      ...{ model: "openai:smollm2", system, prompt: () => prompt, tools, output: output as undefined },
      ...{ maxOutputTokens: cap, minOutputTokens: cap, repairs: 0, maxTurns: 1 },
    });
    const [call] = (await lab.run(asked, prompt)).calls;
    if (call?.served === undefined) throw new Error(`nothing was asked for "${name}"`);
    calls.push(call);
    lines.push({
      what: name,
      figure: `${call.reserved - cap} for ${call.served.promptTokens}`,
      kept: holds(call),
    });
  }
  const beyond = (await lab.run(endless, english.repeat(500))).calls[0];
  const fuzz = await random(lab);
  const served = others.filter((call) => call.served !== undefined);
  return {
    title: "Token bounds",
    lines: [
      ...lines,
      { what: "bound over truth, of these: least / median / most", figure: spread(calls.map(slack)) },
      {
        what: `${texts.toLocaleString("en-US")} random texts: least / median / most`,
        figure: spread(fuzz),
        kept: Math.min(...fuzz) >= 1,
      },
      {
        what: "a prompt longer than the model reads: the server, the reservation",
        figure: `${beyond?.served?.finish}, ${beyond?.settled}`,
        kept: beyond?.served?.finish === "refused" && beyond.settled === "released",
      },
      {
        what: "every call of the other checks within what was reserved for it",
        figure: of(served.filter(within).length, served.length),
        kept: served.every(within),
      },
    ],
  };
}

/** Asked with more than the 8,192 tokens the model reads. */
const endless = agent("endless", { model: "openai:smollm2", system: "Answer in one word." });

const slack = ({ reserved, served }: Bought) => (reserved - cap) / (served?.promptTokens ?? Number.NaN);
const holds = (call: Bought) => slack(call) >= 1;
const within = ({ reserved, served }: Bought) =>
  served === undefined || served.promptTokens + served.outputTokens <= reserved;

/** Texts of random characters from random corners of Unicode: the ratios of bound and truth. */
async function random(lab: Lab): Promise<number[]> {
  let state = 42;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const corners = [0x20, 0x80, 0x250, 0x600, 0x2000, 0x4e00, 0xac00, 0xf900, 0x1f300, 0x20000];
  const messages = Array.from({ length: texts }, () => {
    const corner = corners[next(corners.length)] ?? 0;
    const content = String.fromCodePoint(...Array.from({ length: 1 + next(200) }, () => corner + next(256)));
    return [
      { role: "system", content: "Answer." },
      { role: "user", content },
    ];
  });
  const requests = messages.map((one) => ({ model: "smollm2", messages: one }));
  const response = await fetch(`${lab.url}/count`, { method: "POST", body: JSON.stringify(requests) });
  const counts = (await response.json()) as number[]; // one for each request
  return messages.map((one, i) => tokenBound({ messages: one }) / (counts[i] ?? Number.NaN));
}

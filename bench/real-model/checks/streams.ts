/** Agents that stream: what comes, when, and whether all of it is kept. */
import { createOpenAI } from "@ai-sdk/openai";
import { agent } from "flujo";
import { type Chapter, of, spread } from "../chapter.ts";
import type { Lab, Observed } from "../lab.ts";

const prompts = [
  "Write a short story about a fox.",
  "Explain what a database is.",
  "ha ha ha ha ha ha ha ha ha ha ha ha",
  "List ten animals.",
];
/** One speaks OpenAI's Responses API, the other chat completions. */
const models = ["openai:smollm2", "openai.chat:smollm2"];

const speaker = (model: string, stream: boolean) =>
  agent("say", { ...{ model, stream, system: "", temperature: 0 }, maxOutputTokens: 80 });

export async function streams(lab: Lab): Promise<Chapter> {
  const told: Streamed[] = [];
  for (const model of models) for (const prompt of prompts) told.push(await streamed(lab, model, prompt));
  const cut = streamOf(await lab.run(speaker(models[0] ?? "", true).timeout("1s"), prompts[0] ?? ""));
  const seeds = [await sampled(7), await sampled(7), await sampled(8)];
  const all = (fits: (one: Streamed) => boolean) => ({
    figure: of(told.filter(fits).length, told.length),
    kept: told.every(fits),
  });
  return {
    title: "Streams",
    lines: [
      { what: "streams, half by Responses, half by chat completions", figure: `${told.length}` },
      {
        what: "first token at the server, ms: least / median / most",
        figure: spread(told.map(({ served }) => served)),
      },
      {
        what: "first piece in the journal, ms after the reservation",
        figure: spread(told.map(({ first }) => first)),
      },
      { what: "tokens a second: least / median / most", figure: spread(told.map(({ rate }) => rate)) },
      {
        what: "chunks in events, for tokens",
        figure: `${sum(told.map(({ chunks }) => chunks))} in ${sum(told.map(({ events }) => events))}, for ${sum(told.map(({ tokens }) => tokens))}`,
      },
      {
        what: "chunks equal to the one before them",
        figure: `${sum(told.map(({ twins }) => twins))}`,
      },
      {
        what: "the chunks are the answer, and the answer is the one without a stream",
        ...all((one) => one.whole),
      },
      { what: "spent == the server's bill", ...all(({ exact }) => exact) },
      {
        what: "a stream cut off by .timeout(): characters kept, and said by the server",
        figure: `${cut.text.length} and ${cut.said.length}`,
        kept: cut.text.length > 0 && cut.said.startsWith(cut.text),
      },
      {
        what: "temperature 0.8: the same seed says the same, another something else",
        figure: `${seeds[0] === seeds[1] ? "yes" : "no"}, ${seeds[0] === seeds[2] ? "no" : "yes"}`,
      },
    ],
  };
}

interface Streamed {
  readonly whole: boolean;
  /** Milliseconds to the first token, at the server; and to the first piece in the journal. */
  readonly served: number;
  readonly first: number;
  readonly rate: number;
  readonly chunks: number;
  readonly events: number;
  readonly tokens: number;
  readonly twins: number;
  readonly exact: boolean;
}

async function streamed(lab: Lab, model: string, prompt: string): Promise<Streamed> {
  const run = await lab.run(speaker(model, true), prompt);
  const { result: alone } = await lab.run(speaker(model, false), prompt);
  const { text, chunks, events, first, call } = streamOf(run);
  const output = run.result.status === "completed" ? run.result.output : undefined;
  const { outputTokens = 0, took = 0, first: served = 0 } = call ?? {};
  return {
    whole: text === output && alone.status === "completed" && text === alone.output,
    ...{ served, first, events, chunks: chunks.length, tokens: outputTokens },
    rate: (outputTokens - 1) / ((took - served) / 1_000),
    twins: chunks.filter((chunk, i) => chunk === chunks[i - 1]).length,
    exact: run.result.spent.picoUsd === run.billed,
  };
}

/** What the journal has of a run's one stream, beside what the server said. */
function streamOf({ events, calls }: Observed<string>) {
  const pieces = events.flatMap((event) => (event.type === "text-streamed" ? [event] : []));
  const reserved = events.find(({ type }) => type === "budget-reserved");
  const chunks = pieces.flatMap((piece) => piece.chunks);
  return {
    ...{ chunks, text: chunks.join(""), events: pieces.length },
    first: Date.parse(pieces[0]?.at ?? "") - Date.parse(reserved?.at ?? ""),
    call: calls[0]?.served,
    said: calls[0]?.served?.text ?? "",
  };
}

async function sampled(seed: number): Promise<string> {
  const { content } = await createOpenAI()
    .chat("smollm2")
    .doGenerate({
      prompt: [{ role: "user", content: [{ type: "text", text: "Write a line about the sea." }] }],
      ...{ maxOutputTokens: 40, temperature: 0.8, seed },
    });
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** What the workers run. Every body does its work through `work`, so that a test sees when and where it ran. */
import * as z from "zod";
import {
  agent,
  branchOn,
  concat,
  embed,
  humanInTheLoop,
  loopUntil,
  mapOver,
  parallel,
  pipeline,
  type Step,
  step,
  tool,
} from "../../src/index.ts";
import type { ServedReply } from "../../src/testing/openai-server.ts";
import { type ScriptedModel, scriptedModel } from "../../src/testing/scripted-model.ts";

/** What bodies are given to do, and whom agents ask. */
export interface World {
  readonly work: (runId: string, path: string) => Promise<void>;
  readonly model: ScriptedModel;
}

/** State of one's own: the path of every body that came to its end, in the order of the tree. */
interface Diary {
  readonly visits: readonly string[];
}

/** A model whose prompt is the path of its own call: it notes the call, and answers after a while. */
export const respondent = (onCall: (path: string) => void, mostMs: number): ScriptedModel =>
  scriptedModel({
    replies: ({ prompt }) => ({ text: `answer to ${prompt}`, delayMs: Math.random() * mostMs }),
    onCall: ({ prompt }) => onCall(prompt),
  });

const visiting =
  ({ work }: World) =>
  <T>(name: string, change: (value: T) => T = (value) => value): Step<T, T, Diary> =>
    step(name, async (value: T, ctx) => {
      await work(ctx.runId, ctx.path);
      ctx.update("visits", (visits) => [...visits, ctx.path]);
      return change(value);
    });

const diary = { state: (): Diary => ({ visits: [] }), reducers: { visits: concat } };
const letters = [..."abcdefghij"];

/** Every kind of node, nested: about 90 operations, at most four under way at once. */
function tour(world: World) {
  const visit = visiting(world);
  const climb = visit<number>("turn", (n) => n + 1).to(
    branchOn("way", (n) => (n % 2 === 0 ? "even" : "odd"), {
      even: visit("down", (n) => n - 3),
      odd: visit("up", (n) => n + 10),
    }),
  );
  const fetchOne = step("fetch", async (letter: string, ctx) => {
    const got = await ctx.run("get", async () => {
      await world.work(ctx.runId, `${ctx.path}:get#0`);
      return letter.repeat(3);
    });
    const parsed = await ctx.run("parse", async () => {
      await world.work(ctx.runId, `${ctx.path}:parse#0`);
      return got.toUpperCase();
    });
    await world.work(ctx.runId, ctx.path);
    return { letter, parsed };
  });
  const ask = agent("ask", {
    model: world.model,
    system: "Answer.",
    prompt: ({ letter }: { letter: string }) => `/tour/items[${letter}]/ask:call#0`,
  });
  const items = mapOver("items", fetchOne.to(ask).to(visit("note")), {
    over: (_: number) => letters,
    key: (letter) => letter,
    concurrency: 3,
  });
  const sides = parallel("sides", {
    left: step("sum", async (answers: string[], ctx) => {
      await world.work(ctx.runId, ctx.path);
      return answers.join("").length;
    }).to(
      loopUntil(
        "again",
        visit<number>("more", (n) => n * 2),
        { until: (_, { count }) => count === 4, maxLoops: 9 },
      ),
    ),
    middle: agent("think", {
      model: world.model,
      system: "Think.",
      prompt: (_: string[]) => "/tour/sides[middle]/think:call#0",
    }),
    right: mapOver("each", visit<string>("look").to(visit("look again")), { concurrency: 2 }),
  });
  return pipeline(
    "tour",
    loopUntil("climb", climb, { until: (_, { count }) => count === 6, maxLoops: 10 })
      .to(items)
      .to(sides)
      .to(closing(world)),
    diary,
  );
}

/** The most bodies of `tour` that are at work at one moment. */
export const tourWidth = 4;

/** Ends with what there is to compare: the value and the state. */
const closing = ({ work }: World) =>
  step("close", async (value: unknown, ctx: { runId: string; path: string; state: Readonly<Diary> }) => {
    await work(ctx.runId, ctx.path);
    return { value, visits: ctx.state.visits };
  });

function line(world: World) {
  const visit = visiting(world);
  return pipeline(
    "line",
    visit<number>("one", (n) => n + 1)
      .to(visit("two", (n) => n * 2))
      .to(visit("three", (n) => n - 3))
      .to(closing(world)),
    diary,
  );
}

function loop(world: World) {
  const turn = visiting(world)<number>("turn", (n) => n + 1);
  return pipeline(
    "loop",
    loopUntil("turns", turn, { until: (_, { count }) => count === 5, maxLoops: 9 }).to(closing(world)),
    diary,
  );
}

function map(world: World) {
  const double = visiting(world)<number>("double", (n) => n * 2);
  return pipeline(
    "map",
    mapOver("items", double, { over: (_: unknown) => letters.keys(), concurrency: 3 }).to(closing(world)),
    diary,
  );
}

function branches(world: World) {
  const visit = visiting(world);
  const three = parallel("sides", {
    left: visit<number>("l"),
    middle: visit<number>("m"),
    right: visit<number>("r"),
  });
  return pipeline("branches", three.to(closing(world)), diary);
}

/** Results that fill a journal: 100 of 3,000 characters. */
function bulk({ work }: World) {
  const grow = step("grow", async (n: number, ctx) => {
    await ctx.run("make", () => "abc".repeat(1_000));
    await work(ctx.runId, ctx.path);
    return n + 1;
  });
  return pipeline("bulk", loopUntil("turns", grow, { until: (n) => n === 100, maxLoops: 100 }));
}

/** Texts of one length, told apart by their number: every call costs the same. */
export const textOf = (n: number): string =>
  `Text ${String(n).padStart(4, "0")}. ${"It goes on for a while. ".repeat(14)}`;

/** One agent for each text, over the network. */
const bill = (name: string, concurrency: number) => () => {
  const summarise = agent("summarise", {
    model: "openai.chat:gpt-4o-mini",
    system: "Summarise the text.",
    prompt: textOf,
    maxOutputTokens: 100,
  });
  return pipeline(name, mapOver("texts", summarise, { concurrency }));
};

/** An agent of five turns: three of them with tools, two at a time; an answer amiss; the answer. */
function analyst({ work }: World) {
  const lookUp = tool("look_up", {
    description: "Looks a company's revenue up",
    input: z.object({ name: z.string() }),
    execute: async ({ name }, { runId }) => {
      await work(runId, name);
      return { name, revenue: name.length };
    },
  });
  const ask = agent("ask", {
    model: "openai.chat:gpt-4o-mini",
    system: "Analyse.",
    tools: [lookUp],
    output: z.object({ total: z.number() }),
    maxOutputTokens: 100,
  });
  return pipeline("analyst", ask);
}

/** What the provider of `analyst` says, by the answers that are in the conversation. */
export function analystSays(answers: number): ServedReply {
  if (answers === 3) return '{"total":"much"}';
  if (answers > 3) return '{"total":6}';
  return { toolCalls: ["A", "B"].map((name) => ({ name: "look_up", input: { name: name + answers } })) };
}
/** One streamed answer, over the network. */
const narration = (onCut: "repeat" | "continue") => () => {
  const narrate = agent("narrate", {
    model: "openai.chat:gpt-4o-mini",
    system: "Narrate.",
    stream: true,
    onCut,
  });
  return pipeline("narration", narrate);
};

/** An agent of a few lines that the AI SDK runs, then a streamed answer. */
const imperative = () => {
  const body = step("body", async (prompt: string, ctx) => {
    const { generateText, jsonSchema, stepCountIs, streamText, tool } = await import("ai"); // no other job needs it
    const add = tool({
      description: "Adds",
      inputSchema: jsonSchema<{ a: number; b: number }>({ type: "object" }),
      execute: ({ a, b }) => a + b,
    });
    const model = ctx.model("openai.chat:gpt-4o-mini");
    const { text } = await generateText({ model, tools: { add }, stopWhen: stepCountIs(5), prompt });
    return streamText({ model, prompt: `Tell: ${text}` }).text;
  });
  return pipeline("imperative", body);
};

/** Texts of which a request for embeddings takes three, by their bytes. */
export const longTexts = [..."abcdefgh"].map((letter) => letter.repeat(90_000));

/** Vectors and images, over the network: three batches, two calls. It ends with what there is to compare. */
const library = () =>
  pipeline(
    "library",
    embed("index", { model: "openai:text-embedding-3-small", values: (_: string) => longTexts }).to(
      step("shelve", async (vectors: number[][], ctx) => {
        const images = await ctx.generateImage("cover", {
          model: "openai:gpt-image-1",
          prompt: "A book",
          n: 12,
        });
        return { vectors, images: images.length };
      }),
    ),
  );

/** A person is asked at the top, in a branch, a loop, a map, a parallel, a sub-pipeline, and before an agent's tool. */
function asking(world: World) {
  const visit = visiting(world);
  const ask = humanInTheLoop("ask", { prompt: (value: unknown) => `Is ${String(value)} right?` });
  const refund = tool("refund", {
    description: "Refunds an order",
    input: z.object({ order: z.string() }),
    approval: true,
    execute: async ({ order }, { runId }) => {
      await world.work(runId, "/asking/at[tool]/serve");
      return `refunded ${order}`;
    },
  });
  const model = scriptedModel({
    replies: ({ options }) =>
      options.prompt.length === 2 ? { toolCalls: [{ name: "refund", input: { order: "A7" } }] } : "Done.",
  });
  const serve = agent("serve", {
    model,
    system: "Serve.",
    prompt: (_: number) => "Refund A7",
    tools: [refund],
  });
  const at = parallel("at", {
    branch: branchOn("way", (_: number) => "k" as const, { k: ask }),
    loop: loopUntil<unknown, unknown>("turns", ask, { until: () => true, maxLoops: 2 }),
    map: mapOver("items", ask, { over: (_: number) => [1, 2] }),
    parallel: parallel("sides", { left: ask, right: visit<number>("beside") }),
    slow: visit<number>("slow"),
    sub: pipeline("part", ask),
    tool: serve,
  });
  const last = humanInTheLoop("last", { prompt: () => "All of it?" });
  return pipeline("asking", visit<number>("before").to(at).to(last).to(closing(world)), diary);
}

/** Twelve bookings, one of which has to take another way; then all of it is in vain. */
function saga({ work }: World) {
  const mark = async (_: unknown, { runId, path }: { runId: string; path: string }): Promise<void> =>
    work(runId, path);
  const book = (name: string) =>
    step(name, async (seat: string, ctx) => {
      await mark(seat, ctx);
      return `${name} ${seat}`;
    }).compensate(step("unbook", mark).to("tell", mark));
  const fail = (_: string): string => {
    throw new Error("in vain");
  };
  const seats = mapOver("seats", book("book"), { concurrency: 3, key: (seat: string) => seat });
  return pipeline(
    "saga",
    step("list", (_: number) => letters)
      .to(seats)
      .to("first", ([first]) => first as string)
      .to(book("flight").to("full", fail).fallback(book("train")))
      .to("end", fail),
  );
}

export const pipelines = {
  saga,
  asking,
  analyst,
  tour,
  line,
  loop,
  map,
  branches,
  bulk,
  bill: bill("bill", 200),
  trickle: bill("trickle", 4),
  repeated: narration("repeat"),
  continued: narration("continue"),
  imperative,
  library,
};

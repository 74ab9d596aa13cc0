/** An agent with two tools: what a model does with them that was never trained to. */
import { agent, mapOver, pipeline, step, tool } from "flujo";
import * as z from "zod";
import { type Chapter, of, type Wrong } from "../chapter.ts";
import type { Lab } from "../lab.ts";

const stock: { readonly [product: string]: number } = {
  lamp: 42,
  chair: 117,
  desk: 8,
  mirror: 305,
  sofa: 63,
};

const calculate = tool("calculate", {
  description: "Works out an arithmetic expression, as 2 + 3",
  input: z.object({ expression: z.string() }),
  execute({ expression }) {
    const [, a, sign, b] = /^\s*(\d+)\s*([-+*/])\s*(\d+)\s*$/.exec(expression) ?? [];
    if (sign === undefined) throw new Error(`"${expression}" is no expression of two numbers, as 2 + 3`);
    const [left, right] = [Number(a), Number(b)];
    return { "+": left + right, "-": left - right, "*": left * right, "/": left / right }[sign];
  },
});

const inStock = tool("stock", {
  description: "How many pieces of a product are in stock, as lamp",
  input: z.object({ product: z.string() }),
  execute({ product }) {
    const found = stock[product.toLowerCase().trim().replace(/s$/, "")];
    if (found === undefined) throw new Error(`there is no product "${product}"`);
    return found;
  },
});

interface Question {
  readonly text: string;
  readonly tool: string;
  readonly answer: number;
}

const questions: readonly Question[] = [
  { text: "What is 17 * 23?", tool: "calculate", answer: 391 },
  { text: "What is 1234 + 4321?", tool: "calculate", answer: 5_555 },
  { text: "What is 500 - 123?", tool: "calculate", answer: 377 },
  { text: "Calculate 12 times 12.", tool: "calculate", answer: 144 },
  { text: "What is 96 / 8?", tool: "calculate", answer: 12 },
  { text: "How many lamps are in stock?", tool: "stock", answer: 42 },
  { text: "How many chairs do we have in stock?", tool: "stock", answer: 117 },
  { text: "What is the stock of mirrors?", tool: "stock", answer: 305 },
  { text: "How many desks are left in stock?", tool: "stock", answer: 8 },
  { text: "Check the stock of sofas.", tool: "stock", answer: 63 },
];

export async function tools(lab: Lab): Promise<Chapter> {
  const free = await series(lab, "openai:smollm2-free");
  const held = await series(lab, "openai:smollm2-calls");
  const n = questions.length;
  const lines = (name: string, told: readonly Told[]) => {
    const count = (fits: (one: Told) => boolean) => told.filter(fits).length;
    return [
      {
        what: `${name}: right answers`,
        figure: of(
          count(({ right }) => right),
          n,
        ),
      },
      {
        what: `${name}: called a tool; the right one; got its result`,
        figure: [
          count((one) => one.called !== undefined),
          count((one) => one.called === one.question.tool),
          count((one) => one.got),
        ].join("; "),
      },
      {
        what: `${name}: runs that ended without an answer`,
        figure: of(
          count((one) => one.failed !== undefined),
          n,
        ),
      },
    ];
  };
  const all = [...free, ...held];
  return {
    title: "An agent with tools",
    lines: [
      ...lines("left to itself", free),
      ...lines("made to call first", held),
      {
        what: "spent == the server's bill, each run",
        figure: of(all.filter(({ exact }) => exact).length, all.length),
        kept: all.every(({ exact }) => exact),
      },
    ],
    wrong: [...examples(free, "left to itself"), ...examples(held, "made to call first")],
  };
}

interface Told {
  readonly question: Question;
  readonly said: string;
  readonly right: boolean;
  readonly called: string | undefined;
  /** The call as written. */
  readonly call: string;
  /** A tool returned the right figure. */
  readonly got: boolean;
  readonly failed: string | undefined;
  /** Flujo's account of the run and the server's agree. */
  readonly exact: boolean;
}

const clerk = (model: string) =>
  agent("clerk", {
    ...{ model, system: "You are a clerk. Be brief.", tools: [calculate, inStock] },
    ...{ maxTurns: 4, maxOutputTokens: 80 },
  });

/** What `kills.ts` has killed. */
export const desk = pipeline(
  "desk",
  mapOver("questions", clerk("openai:smollm2-calls").fallback(step("give up", () => "no answer")), {
    key: (question: string) => question,
    concurrency: 2,
  }),
);

async function series(lab: Lab, model: string): Promise<Told[]> {
  const told: Told[] = [];
  for (const question of questions) {
    const { result, events, calls, billed } = await lab.run(clerk(model), question.text);
    const outputs = events.flatMap((event) =>
      event.type === "operation-completed" && toolOf(event.path) !== undefined ? [event] : [],
    );
    const said = result.status === "completed" ? result.output : "";
    told.push({
      ...{ question, said },
      right:
        said
          .replaceAll(",", "")
          .match(/\d+(?:\.\d+)?/g)
          ?.includes(String(question.answer)) ?? false,
      called: outputs[0] && toolOf(outputs[0].path),
      call: calls[0]?.served?.text ?? "",
      got: outputs.some(({ output }) => (output as { text?: string }).text === String(question.answer)),
      failed: result.status === "completed" ? undefined : result.status,
      exact: result.spent.picoUsd === billed,
    });
  }
  return told;
}

/** The tool of an operation `tool:NAME`; a path writes its colon as %3A. */
const toolOf = (path: string): string | undefined => /:tool(?:%3A|:)([\w-]+)/.exec(path)?.[1];

function examples(told: readonly Told[], how: string): Wrong[] {
  return told
    .filter(({ right }) => !right)
    .slice(0, 3)
    .map(({ question, said, called, got, call }) => ({
      asked: `${question.text} (${how})`,
      said: called === undefined ? said || call : `${call} … ${said}`,
      but: got
        ? `the tool had said ${question.answer}`
        : called === undefined
          ? `no tool was called; it is ${question.answer}`
          : called === question.tool
            ? `not what the tool takes; it is ${question.answer}`
            : `the wrong tool; it is ${question.answer}`,
    }));
}

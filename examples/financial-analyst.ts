/**
 * The showcase: companies in, a Markdown report out, on a budget.
 *
 *     npx flujo run examples/financial-analyst.ts
 *     npx flujo run examples/financial-analyst.ts --input "Apple, NVIDIA"
 *
 * For each company it fetches the text of an annual report, reads the figures out of it with code and has an agent say
 * in one sentence what matters. With OPENAI_API_KEY set the agent is OpenAI's gpt-4o-mini; without it, Flujo's
 * `offline:extract`, which is not an LLM. Kill it where you like: `npx flujo resume RUN` goes on, and no summary is
 * bought twice.
 */
import { readFile } from "node:fs/promises";
import { agent, mapOver, parallel, pipeline, type StepContext, step } from "flujo";
import * as z from "zod";

const companies = ["Apple", "Microsoft", "Alphabet", "Amazon", "NVIDIA"] as const;
const model = process.env.OPENAI_API_KEY ? "openai:gpt-4o-mini" : "offline:extract";

interface Filing {
  readonly company: string;
  /** Company, form and period. */
  readonly source: string;
  readonly text: string;
}

/** In millions of US dollars. */
interface Figures {
  readonly revenue: number;
  readonly revenueBefore: number;
  readonly netIncome: number;
}

/** The run's memory. */
interface Analysis {
  readonly findings: {
    readonly [company: string]: Figures & { readonly source: string; readonly summary: string };
  };
}

/** Names, as typed after --input, or a list; nothing stands for all companies. */
const input = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(",").map((name) => name.trim()))], {
    error: `expected company names, as "Apple, NVIDIA" or ["Apple", "NVIDIA"]`,
  })
  .default([...companies])
  .pipe(z.array(z.enum(companies)));

const fetchFiling = step("fetch filing", async (company: string): Promise<Filing> => {
  const file = new URL(`./financial-analyst/${company.toLowerCase()}.txt`, import.meta.url);
  const [source = "", ...lines] = (await readFile(file, "utf8")).trim().split("\n");
  return { company, source, text: lines.join("\n").trim() };
});

const readFigures = step("read figures", ({ company, text }: Filing): Figures => {
  const sales =
    /(?:net sales|revenues?) (?:was|were) \$([\d,]+) million .*?, compared with \$([\d,]+) million/i.exec(
      text,
    );
  const income = /net income was \$([\d,]+) million/i.exec(text);
  if (!sales || !income) throw new Error(`the filing of ${company} says nothing of its sales or its income`);
  return { revenue: amount(sales[1]), revenueBefore: amount(sales[2]), netIncome: amount(income[1]) };
});

const amount = (digits = ""): number => Number(digits.replaceAll(",", ""));

const summarise = agent("summarise", {
  model,
  system:
    "You are a financial analyst. Say in one sentence what matters most in this filing. Use only its figures.",
  prompt: ({ text }: Filing) => text,
  maxOutputTokens: 200,
}).retry({ attempts: 3 });

const keepFiling = step("keep filing", (filing: Filing) => filing);

const note = step(
  "note",
  (found: { filing: Filing; figures: Figures; summary: string }, ctx: StepContext<Analysis>) => {
    const { company, source } = found.filing;
    ctx.set({
      findings: { ...ctx.state.findings, [company]: { ...found.figures, source, summary: found.summary } },
    });
    return company;
  },
);

const analyse = fetchFiling
  .to(parallel("study", { filing: keepFiling, figures: readFigures, summary: summarise }))
  .to(note);

const report = step("report", (analysed: string[], ctx: StepContext<Analysis>): string => {
  const findings = analysed.map((company) => ({ company, ...ctx.state.findings[company] }));
  const rows = findings.map(
    ({ company, revenue = 0, revenueBefore = 0, netIncome = 0 }) =>
      `| ${company} | ${billions(revenue)} | ${change(revenue / revenueBefore - 1)} | ${billions(netIncome)} | ${percent(netIncome / revenue)} |`,
  );
  return [
    "# What the annual reports say",
    "",
    "| company | revenue | change | net income | margin |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...rows,
    ...findings.flatMap(({ company, source, summary }) => [
      "",
      `## ${company}`,
      "",
      summary,
      "",
      `*${source}*`,
    ]),
    "",
    "---",
    "",
    model === "offline:extract"
      ? "The sentences above were picked from the filings by offline:extract, which is not an LLM. Set OPENAI_API_KEY to have them written by one."
      : `The sentences above were written by ${model}.`,
  ].join("\n");
});

const billions = (millions: number): string => `$${(millions / 1_000).toFixed(1)} bn`;
const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)}%`;
const change = (ratio: number): string => (ratio < 0 ? "" : "+") + percent(ratio);

export default pipeline(
  "financial-analyst",
  mapOver("companies", analyse, { key: (company) => company, concurrency: 3 }).to(report),
  {
    input,
    state: () => ({ findings: {} }),
  },
).budget("$0.15");

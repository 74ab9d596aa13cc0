/** The showcase, by the command line, with the model in the place of gpt-4o-mini. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Chapter, dollars, of, round } from "../chapter.ts";
import type { Lab } from "../lab.ts";
import { picoPrice } from "../prices.ts";
import { bill } from "../server/log.ts";

export const showcaseFile = join(import.meta.dirname, "..", "..", "..", "examples", "financial-analyst.ts");

export async function showcase(lab: Lab): Promise<Chapter> {
  const before = (await lab.log()).length;
  const store = `sqlite:${join(lab.folder, "showcase.db")}`;
  const { stdout } = await lab.flujo([
    "run",
    showcaseFile,
    "--run-id",
    "showcase",
    "--store",
    store,
    "--json",
  ]);
  const run = JSON.parse(stdout);
  const log = (await lab.log()).slice(before);
  const billed = bill(log, picoPrice);
  const sentences = sentencesIn(String(run.output));
  const invented = sentences.flatMap(({ company, text }) => {
    const said = strange(text, filing(company));
    return said.length === 0 ? [] : [{ company, text, said }];
  });
  const long = sentences.filter(({ text }) => text.split(/[.!?](?:\s|$)/).filter(Boolean).length > 1);
  return {
    title: "The showcase",
    lines: [
      { what: "run of five companies, budget $0.15", figure: run.status, kept: run.status === "completed" },
      {
        what: "spent, by Flujo and by the server's log",
        figure: `$${run.spent.costUsd} and ${dollars(billed)}`,
        kept: dollars(billed) === `$${run.spent.costUsd}`,
      },
      {
        what: "calls; tokens in and out",
        figure: `${run.spent.calls}; ${run.spent.inputTokens} and ${run.spent.outputTokens}`,
      },
      { what: "time", figure: `${round(run.durationMs / 1_000)} s` },
      {
        what: "answers cut off at their 200 tokens",
        figure: of(log.filter(({ finish }) => finish === "length").length, log.length),
      },
      {
        what: "answers of one sentence, as asked for",
        figure: of(sentences.length - long.length, sentences.length),
      },
      {
        what: "answers with figures that are not in the filing",
        figure: of(invented.length, sentences.length),
      },
    ],
    wrong: [
      ...invented.slice(0, 2).map(({ company, text, said }) => ({
        asked: `the filing of ${company}`,
        said: text,
        but: `${said.join(", ")}: not in it`,
      })),
      ...long.slice(0, 1).map(({ company, text }) => ({
        asked: `the filing of ${company}, in one sentence`,
        said: text,
        but: "more than one sentence",
      })),
    ],
  };
}

/** What the report says of each company. */
function sentencesIn(report: string): { company: string; text: string }[] {
  return report
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [company = "", ...lines] = section.split("\n");
      return {
        company,
        text:
          lines
            .join("\n")
            .split(/^\*.*\*$/m)[0]
            ?.trim() ?? "",
      };
    });
}

const filing = (company: string) =>
  readFileSync(join(showcaseFile, "..", "financial-analyst", `${company.toLowerCase()}.txt`), "utf8");

/** Numbers of a text that the other does not have. */
function strange(text: string, source: string): string[] {
  const known = new Set(numbersIn(source));
  return [...new Set(numbersIn(text))].filter((number) => !known.has(number));
}

const numbersIn = (text: string): string[] => text.match(/\d[\d,.]*\d|\d/g) ?? [];

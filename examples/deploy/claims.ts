/** A claim is read page by page, and a person decides where it is long. It stands for your own pipelines. */
import { setTimeout as takingTime } from "node:timers/promises";
import { branchOn, humanInTheLoop, mapOver, pipeline, step } from "flujo";

interface Claim {
  readonly pages: number;
}

const readPage = step("read", async (page: number, { signal }) => {
  await takingTime(100, undefined, { signal });
  return `page ${page}`;
});

const read = mapOver("pages", readPage, {
  over: ({ pages }: Claim) => Array.from({ length: pages }, (_, i) => i + 1),
  concurrency: 4,
});

const decide = branchOn("decide", (pages: string[]) => (pages.length > 20 ? "person" : "rule"), {
  rule: step("pay", (pages: string[]) => `paid, after ${pages.length} pages`),
  person: humanInTheLoop("approve", {
    prompt: (pages: string[]) => `Shall it be paid? It has ${pages.length} pages.`,
  }).to(step("note", ({ approved }) => (approved ? "paid, as somebody decided" : "not paid"))),
});

export default pipeline("claims", read.to(decide));

import { describe, expect, it } from "vitest";
import { Crew } from "./crew.ts";

const names = ["ada", "bob", "eve"];

/** Workers who have heard of one another. */
function crews(queuesOf: (worker: string) => readonly string[] = () => ["default"]) {
  const all = names.map((worker) => ({ worker, queues: queuesOf(worker) }));
  const made = all.map((self) => ({ worker: self.worker, crew: new Crew(self) }));
  for (const { crew } of made) for (const one of all) crew.hear(one, 0);
  const first = (queue: string, ticket: number, now = 0): string[] =>
    made.filter(({ crew }) => crew.placeOf(queue, ticket, now) === 0).map(({ worker }) => worker);
  return { made, first };
}

describe("workers that hear the same", () => {
  it("agree on one who looks first, in turn", () => {
    const { first } = crews();
    expect([0, 1, 2, 3].map((ticket) => first("default", ticket))).toEqual([
      ["ada"],
      ["bob"],
      ["eve"],
      ["ada"],
    ]);
  });

  it("agree on who is next, too", () => {
    const { made } = crews();
    expect(made.map(({ crew }) => crew.placeOf("default", 1, 0))).toEqual([2, 0, 1]);
  });

  it("leave out those who do not take that queue", () => {
    const { first } = crews((worker) => (worker === "bob" ? ["mail"] : ["default"]));
    const others = [0, 1, 2]
      .flatMap((ticket) => first("default", ticket))
      .filter((worker) => worker !== "bob");
    expect(others).toEqual(["ada", "eve", "ada"]);
  });

  it("forget who leaves, and of whom nothing is heard any more", () => {
    const { made, first } = crews();
    for (const { crew } of made) crew.hear({ worker: "ada", queues: [] }, 1_000);
    expect(first("default", 0).filter((worker) => worker !== "ada")).toEqual(["bob"]);
    const eve = made.at(-1)?.crew;
    expect(eve?.placeOf("default", 0, 24_000)).toBe(1);
    expect(eve?.placeOf("default", 0, 26_000)).toBe(0);
  });

  it("look each for themselves while they have not heard of one another", () => {
    for (const worker of names)
      expect(new Crew({ worker, queues: ["default"] }).placeOf("default", 1, 0)).toBe(0);
  });
});

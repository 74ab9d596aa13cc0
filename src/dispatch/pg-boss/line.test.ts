import { expect, it } from "vitest";
import { saidIn, textOf } from "./line.ts";

it("what is said comes through as it is, and what others say is left alone", () => {
  for (const said of [
    { queue: "mail", inMs: 0, ticket: 7 },
    { worker: "ada", queues: ["mail"] },
    { worker: "ada", queues: [] },
  ])
    expect(saidIn(textOf(said))).toEqual(said);
  for (const text of ["", "run-1", "null", "{}", '{"queue":1}', '{"queue":"mail","inMs":0}'])
    expect(saidIn(text)).toBeUndefined();
});

it("a worker of very many queues says as many as a message takes", () => {
  const queues = Array.from({ length: 200 }, (_, i) => `${"q".repeat(90)}${i}`);
  const text = textOf({ worker: "ada", queues });
  expect(text.length).toBeLessThan(8_000);
  expect(saidIn(text)).toEqual({ worker: "ada", queues: queues.slice(0, 82) });
});

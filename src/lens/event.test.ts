import { expect, test } from "vitest";
import { encode } from "../core/codec.ts";
import type { Entry } from "../core/entries.ts";
import { eventOf } from "../core/events.ts";
import { eventView } from "./event.ts";

test("an event is plain JSON: money as exact texts, values readable, large ones by their size", () => {
  const view = (entry: Entry) => eventView(eventOf(entry));
  const amount = { picoUsd: "1500000000001", inputTokens: 3, outputTokens: 4 };
  expect(view({ type: "budget-reserved", seq: 3, at: 0, path: "/p/a", model: "m", amount })).toEqual({
    type: "budget-reserved",
    seq: 3,
    at: "1970-01-01T00:00:00.000Z",
    path: "/p/a",
    model: "m",
    picoUsd: "1500000000001",
    costUsd: "1.500000000001",
    tokens: 7,
  });
  const output = encode({ when: new Date(5), many: 12n ** 20n }, "output").json;
  expect(view({ type: "step-completed", seq: 1, at: 0, path: "/p/s", kind: "step", output })).toMatchObject({
    output: { when: "1970-01-01T00:00:00.005Z", many: "3833759992447475122176" },
    attempt: 1,
  });
  const created = {
    type: "run-created",
    seq: 0,
    at: 0,
    pipeline: "p",
    fingerprint: "f",
    manifest: "m",
    state: {},
  } as const;
  expect(view({ ...created, input: encode(new Set([1]), "input").json })).toMatchObject({
    input: [1],
    path: "/",
  });
  const aside = { $type: "blob", hash: "h", size: 9 };
  expect(view({ ...created, input: aside })).toMatchObject({ input: { elsewhere: "h", size: 9 } });
});

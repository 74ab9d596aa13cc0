import { expect, test } from "vitest";
import { maySpend } from "./body-calls.ts";

type Any = Parameters<typeof maySpend>[0];
interface Ctx {
  readonly state: unknown;
  set(patch: object): void;
  run(name: string, work: () => unknown): unknown;
  generate(name: string): unknown;
}
declare const elsewhere: (ctx: unknown) => unknown;

test.each<[string, Any]>([
  ["no context", (text: string) => text],
  ["a bare parameter", async (text: string) => text],
  ["a function without any", function nothing() {}],
  [
    "state, set and run",
    (text: string, ctx: Ctx) => [ctx.set({ text }), ctx.state, ctx.run("a", () => text)],
  ],
  ["a harmless part of it", (_: string, { state }: Ctx) => state],
])("a body with %s spends nothing", (_, work) => {
  expect(maySpend(work)).toBe(false);
});

test.each<[string, Any]>([
  ["ctx.generate", (text: string, ctx: Ctx) => ctx.generate(text)],
  ["a context it hands on", (_: string, ctx: Ctx) => elsewhere(ctx)],
  ["a context it looks into", (key: "generate", ctx: Ctx) => ctx[key]("x")],
  ["a part that calls a model", (text: string, { generate }: Ctx) => generate(text)],
  ["any number of arguments", (...all: unknown[]) => elsewhere(all[1])],
  [
    "arguments",
    function any() {
      // biome-ignore lint/complexity/noArguments: some bodies do
      return elsewhere(arguments[1]);
    },
  ],
  ["a parameter of its own shape", (_: string, { state, ...rest }: Ctx) => elsewhere([state, rest])],
  ["a source nobody sees", ((text: string, ctx: Ctx) => ctx.generate(text)).bind(null) as Any],
])("a body with %s may spend", (_, work) => {
  expect(maySpend(work)).toBe(true);
});

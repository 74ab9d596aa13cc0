import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as door from "../index.ts";
import * as errors from "./errors.ts";
import { FlujoError, StepFailedError } from "./errors.ts";

const source = new URL("./errors.ts", import.meta.url);
// The same file once more, as a second copy of the package would load it.
const copy: typeof errors = await import(/* @vite-ignore */ `${source.href}?copy`);

type Errors = typeof errors;
/** One error of each class, made by one copy. */
const samplesOf = (of: Errors): FlujoError[] => [
  ...[...of.plainErrors.values()].map((Plain) => new Plain("told", {})),
  new of.InvalidPipelineError([]),
  new of.InvalidDatasetError("cases.jsonl", []),
  new of.VersionChangedError("r", []),
  new of.BudgetExceededError("told"),
  new of.ModelCallError("told", { charge: "none" }),
  new of.SignalRefusedError("late", "told"),
  new of.DeliveryFailedError("told"),
];

type Guard = { isInstance(error: unknown): boolean };
/** Every class of errors that a copy exports, by name. */
const classesOf = (of: object): Map<string, Guard> =>
  new Map(
    Object.entries(of).filter(([, value]) => typeof value === "function" && /^class /.test(String(value))),
  );

const classes = classesOf(errors);
const samples = samplesOf(errors);
const kinds = samples.map((sample) => [sample.name, sample] as const);

describe("each class of errors", () => {
  it("has a sample here, stands in the tree at the top of the file by its code, and is exported from the front door", () => {
    expect(kinds.map(([name]) => name).sort()).toEqual(
      [...classes.keys()].filter((name) => name !== "FlujoError").sort(),
    );
    const tree = readFileSync(source, "utf8").split("*/")[0] as string;
    const drawn = [...tree.matchAll(/─ (\w+Error) +([a-z-]+)/g)].map(([, name, code]) => `${name} ${code}`);
    expect(drawn.sort()).toEqual(samples.map(({ name, code }) => `${name} ${code}`).sort());
    expect([...classes].filter(([name, of]) => (door as Record<string, unknown>)[name] !== of)).toEqual([]);
  });

  it.each(kinds)("%s tells its own errors from all others, whichever copy made them", (name, sample) => {
    const told = (of: Errors): string[] =>
      [...classesOf(of)].filter(([, guard]) => guard.isInstance(sample)).map(([known]) => known);
    expect(told(errors).sort()).toEqual(["FlujoError", name].sort());
    expect(told(copy).sort()).toEqual(["FlujoError", name].sort());
    expect(sample).not.toBeInstanceOf(copy.FlujoError);
  });

  it("says no to what is no error of Flujo's", () => {
    const strangers = [undefined, null, "timeout", { code: "timeout" }, new Error("timeout")];
    for (const stranger of strangers)
      for (const of of classes.values()) expect(of.isInstance(stranger)).toBe(false);
  });

  it("says no to an error that bears only its code", () => {
    expect(errors.TimeoutError.isInstance(new FlujoError("timeout", "too slow"))).toBe(false);
  });

  it("may be extended: what is true of the one is not of the other", () => {
    class TooDear extends StepFailedError {}
    const dear = new TooDear("too dear");
    expect([TooDear.isInstance(dear), StepFailedError.isInstance(dear)]).toEqual([true, true]);
    expect([copy.StepFailedError.isInstance(dear), copy.TimeoutError.isInstance(dear)]).toEqual([
      true,
      false,
    ]);
    expect(TooDear.isInstance(new StepFailedError("failed"))).toBe(false);
  });
});

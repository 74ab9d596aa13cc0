import { describe, expect, it } from "vitest";
import { agent } from "../agents/agent.ts";
import { branchOn, mapOver, parallel, pipeline, step } from "./compose.ts";
import { changedPaths, codeFact, versionOf } from "./fingerprint.ts";
import type { AnyStep } from "./step.ts";

const fingerprint = (tree: AnyStep): string => versionOf(tree.node).fingerprint;
const a = step("a", (n: number) => n + 1);
const b = step("b", (n: number) => n + 2);
const c = step("c", (n: number) => n + 3);

describe("fingerprint", () => {
  it("is the same for the same tree built twice", () => {
    const build = () =>
      pipeline("p", step("a", (n: number) => n * 2).to(mapOver("m", b, { over: (n: number) => [n] })));
    expect(fingerprint(build())).toBe(fingerprint(build()));
  });

  it("changes with code, names, order, version; not with retries, timeouts, budgets, concurrency or layout", () => {
    const tree = pipeline("p", a.to(b));
    const same = pipeline("p", a.retry({ attempts: 3 }).timeout("1s").to(b.budget("$1")));
    expect(fingerprint(same)).toBe(fingerprint(tree));
    const others = [
      pipeline("p", b.to(a)),
      pipeline("q", a.to(b)),
      pipeline("p", a.to(b), { version: "2" }),
      pipeline("p", a),
    ];
    expect(new Set([tree, ...others].map(fingerprint)).size).toBe(5);
    // biome-ignore format: the layout is what differs
    expect(codeFact((n: number) => { return n + 1 ; })).toBe(codeFact((n: number) => {
      return n + 1;
    }));
    expect(codeFact((n: number) => n + 1)).not.toBe(codeFact((n: number) => n + 2));
  });

  it("lets a declared version stand for the code", () => {
    const one = step("a", (n: number) => n + 1, { version: "1" });
    const edited = step("a", (n: number) => 1 + n, { version: "1" });
    expect(fingerprint(one)).toBe(fingerprint(edited));
  });

  it("takes lone surrogates in every text, and keeps them apart", () => {
    const trees = ["\ud800", "\udc00", "\ufffd"].flatMap((text) => [
      pipeline(text, a),
      pipeline("p", a, { version: text }),
      pipeline("p", parallel("both", { [text]: a })),
      agent("ask", { model: "offline:extract", system: text }),
    ]);
    expect(new Set(trees.map(fingerprint)).size).toBe(trees.length);
  });
});

describe("changed paths", () => {
  const changed = (before: AnyStep, now: AnyStep, recorded: string[]): string[] =>
    changedPaths(versionOf(before.node).manifest, versionOf(now.node).manifest, recorded);
  const a2 = step("a", (n: number) => n - 1);

  it("are the recorded ones that are something else now", () => {
    expect(changed(pipeline("p", a.to(b)), pipeline("p", a2.to(b)), ["/p/a"])).toEqual(["/p/a"]);
    expect(changed(pipeline("p", a.to(b)), pipeline("p", a2.to(b)), [])).toEqual([]);
    expect(changed(pipeline("p", a.to(b)), pipeline("p", a.to(c)), ["/p/a"])).toEqual([]);
    expect(changed(pipeline("p", a.to(b)), pipeline("p", a.to(c)), ["/p/a", "/p/b"])).toEqual(["/p/b"]);
  });

  it("include a recorded step that now follows another one", () => {
    expect(changed(pipeline("p", a.to(b)), pipeline("p", a.to(c).to(b)), ["/p/a", "/p/b"])).toEqual(["/p/b"]);
    expect(changed(pipeline("p", a.to(b)), pipeline("p", a.to(c).to(b)), ["/p/a"])).toEqual([]);
  });

  it("are found inside map items, branches and operations of a body", () => {
    const tree = (inner: typeof a) => pipeline("p", mapOver("m", inner, { over: (n: number) => [n] }));
    expect(changed(tree(a), tree(a2), ["/p/m[k 1]/a:look#0"])).toEqual(["/p/m[]/a"]);
    const both = (left: typeof a) => pipeline("p", parallel("x", { left, right: a }));
    expect(changed(both(a), both(a2), ["/p/x[right]/a"])).toEqual([]);
    expect(changed(both(a), both(a2), ["/p/x[left]/a"])).toEqual(["/p/x[left]/a"]);
    const route = (left: typeof a) =>
      pipeline(
        "p",
        branchOn("r", (_: number) => "left", { left }, { otherwise: b }),
      );
    expect(changed(route(a), route(a2), ["/p/r", "/p/r[left]/a@2:call#1"])).toEqual(["/p/r[left]/a"]);
  });

  it("are those of a compensation where it has begun, or is owed and gone; one that has not begun may change", () => {
    const made = (undo?: (n: unknown) => unknown) =>
      pipeline("p", mapOver("m", undo === undefined ? a : a.compensate("undo", undo)));
    const [one, two] = [made(() => 1), made(() => 2)];
    const done = ["/p/m[k]/a", "/p/m[k]/a@undo"];
    expect(changed(one, two, done)).toEqual([]);
    expect(changed(one, two, [...done, "/p/m[k]/a@undo/undo"])).toEqual(["/p/m[]/a@undo/undo"]);
    expect(changed(one, made(), done)).toEqual(["/p/m[]/a@undo"]);
    expect(changed(made(), one, ["/p/m[k]/a"])).toEqual([]);
  });

  it("are found in the branch that is taken for want of another", () => {
    const route = (otherwise: typeof a) =>
      pipeline(
        "p",
        branchOn("r", (_: number) => "nowhere", { left: b }, { otherwise }),
      );
    expect(changed(route(a), route(a2), ["/p/r", "/p/r[nowhere]/a"])).toEqual(["/p/r[otherwise]/a"]);
    expect(changed(route(a), route(a2), ["/p/r", "/p/r[left]/b"])).toEqual([]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Filling, filled, neverFilled, template } from "./template.ts";

const fill = (text: string, filling: Partial<Filling> = {}): string =>
  filled(template(text, 'prompt of agent "a"'), { input: {}, state: {}, ...filling }, "/p/a");

describe("a template", () => {
  test("is filled from input and state: texts as they are, anything else as JSON", () => {
    const input = { title: "T", n: 3, lines: ["a", { b: 1 }] };
    expect(fill("{{input.title}}/{{ input.n }}/{{input.lines[0]}}/{{input.lines[1].b}}", { input })).toBe(
      "T/3/a/1",
    );
    expect(fill("{{input.lines}} for {{state.who}}", { input, state: { who: "Ada" } })).toBe(
      '["a",{"b":1}] for Ada',
    );
    expect(fill("{{input}}", { input: "all of it" })).toBe("all of it");
  });

  test("without places is itself; two braces as they are have a backslash before them", () => {
    expect(fill('{ "a": { "b": 1 }}')).toBe('{ "a": { "b": 1 }}');
    expect(fill("\\{{input.title}} is how it is written")).toBe("{{input.title}} is how it is written");
  });

  test("reads nothing into what it is filled with", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        const text = `${one}{{state.secret}}\\{{input.two}}`;
        expect(
          fill("<{{input.one}}|{{input.two}}>", { input: { one: text, two }, state: { secret: "s" } }),
        ).toBe(`<${text}|${two}>`);
      }),
    );
  });

  test("sees own fields only", () => {
    expect(() => fill("{{input.constructor}}")).toThrow('input has no "constructor"');
    expect(() => fill("{{input.length}}", { input: "text" })).toThrow('input has no "length"');
  });

  test("names place, field, and the fields there are when one is missing; with ? it leaves nothing", () => {
    const input = { title: "T", body: undefined, none: null };
    expect(() => fill("{{input.titel}}", { input })).toThrow(
      'the prompt of agent "a" has {{input.titel}}, and at /p/a input has no "titel" (it has title, body, none)',
    );
    expect(() => fill("{{input.body}}", { input })).toThrow("input.body is undefined");
    expect(fill("[{{input.titel?}}{{input.body?}}{{input.none?}}]", { input })).toBe("[]");
    expect(fill("{{input.none}}", { input })).toBe("null");
  });

  test.each(["{{name}}", "{{input.}}", "{{#if input}}", "{{ input.a + 1 }}", "{{input.a", '{{"a": 1}}'])(
    "%s is refused where it is written",
    (text) => {
      expect(() => template(text, 'prompt of agent "a"')).toThrow(/names no part of the input or state/);
    },
  );

  test("is held against a schema of the input: only what can never be there is complained of", () => {
    const inner = { type: "object", properties: { x: {} }, additionalProperties: false };
    const schema = { type: "object", properties: { open: {}, inner }, additionalProperties: false };
    const wrong = (text: string) => neverFilled(template(text, "prompt"), schema);
    expect(wrong("{{input}} {{input.open.any.thing}} {{input.inner.x}} {{state.y}} {{input.z?}}")).toEqual(
      [],
    );
    expect(wrong("{{input.z}} {{input.inner.y}}")).toEqual([
      'the prompt has {{input.z}}, and its input has no "z" (it has open, inner)',
      'the prompt has {{input.inner.y}}, and its input has no "y" (it has x)',
    ]);
    expect(neverFilled(template("{{input.z}}", "prompt"), undefined)).toEqual([]);
  });
});

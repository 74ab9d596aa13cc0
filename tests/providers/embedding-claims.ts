/** What is claimed of every provider of embeddings. */
import { embed, type Step, step } from "flujo";
import { expect } from "vitest";
import { vectorOf } from "../../src/testing/wire/meter.ts";
import type { WireFault } from "../../src/testing/wire/server.ts";
import { type Claim, expectExact, first, hidesKey, outputOf, waitsOut } from "./claim.ts";
import { handClock } from "./hand-clock.ts";
import { inDoubt, type Stage } from "./stage.ts";

const capability = "embeddings";

/** A step that makes vectors of so many texts. */
const vectorsOf = (on: Stage, texts: readonly string[], dimensions?: number): Step<string, number[][]> =>
  embed("index", {
    model: on.subject.embeddings ?? "",
    values: (_: string) => texts,
    ...(dimensions === undefined ? {} : { dimensions }),
  });

/** More than any provider takes at once, in count or in bytes. */
const many = Array.from({ length: 260 }, (_, i) => `${i} `.padEnd(1_500, "long text "));

/** The first request goes wrong in a way that may have cost: it counts in full, and a second one answers. */
const doubtful = (fault: WireFault, what: string): Claim => ({
  capability,
  title: what,
  server: { fault: first(fault) },
  async prove(on) {
    const clock = handClock();
    const played = await clock.play(on.play(vectorsOf(on, ["a", "b"]), { clock }));
    expect(outputOf(played)).toEqual([vectorOf("a"), vectorOf("b")]);
    const second = on.server.billedPicoUsd / 2n; // two equal requests, both billed
    expect(inDoubt(played.journal)).toBeGreaterThan(second);
    expect(played.result.spent.picoUsd).toBe(inDoubt(played.journal) + second);
  },
});

export const embeddings: readonly Claim[] = [
  {
    capability,
    title:
      "vectors come as the provider gave them, in the order of the texts, in batches, and the account is its bill",
    async prove(on) {
      const played = await on.play(vectorsOf(on, many));
      expect(outputOf(played)).toEqual(many.map((text) => vectorOf(text)));
      expect(on.server.requests.length).toBeGreaterThan(1);
      expect(on.server.requests.map(({ model }) => `${on.subject.name}:${model}`)).toEqual(
        on.server.requests.map(() => on.subject.embeddings),
      );
      expectExact(played, on);
    },
  },
  {
    capability,
    title: "one text has one vector, as long as asked for",
    async prove(on) {
      const one = step("one", (text: string, ctx) =>
        ctx.embed("it", { model: on.subject.embeddings ?? "", values: text, dimensions: 3 }),
      );
      const played = await on.play(one);
      expect(outputOf(played)).toEqual(vectorOf("Hello", 3));
      expectExact(played, on);
    },
  },
  waitsOut(capability, (on) => vectorsOf(on, ["a"])),
  doubtful("server-error", "after a 500 it is asked again, and the failed call counts in full"),
  doubtful("malformed", "so it is after an answer that cannot be read"),
  doubtful("drop", "and after a dropped connection"),
  hidesKey(capability, (on) => vectorsOf(on, ["a"])),
];

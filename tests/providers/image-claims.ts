/** What is claimed of every provider of images. */
import { type GeneratedImage, generateImage, type Step } from "flujo";
import { expect } from "vitest";
import { pictureOf, wirePrice } from "../../src/testing/wire/meter.ts";
import type { WireFault } from "../../src/testing/wire/server.ts";
import { type Claim, expectExact, first, hidesKey, outputOf, waitsOut } from "./claim.ts";
import { handClock } from "./hand-clock.ts";
import { inDoubt, type Stage } from "./stage.ts";

const capability = "images";

const posters = (on: Stage, n: number): Step<string, GeneratedImage[]> =>
  generateImage("poster", { model: on.subject.images ?? "", prompt: "A poster: {{input}}", n });

const png = (text: string): GeneratedImage => ({
  data: new Uint8Array(pictureOf(text)),
  mediaType: "image/png",
});

/** The first request goes wrong in a way that may have cost: its image counts, and a second one comes. */
const doubtful = (fault: WireFault, title: string): Claim => ({
  capability,
  title,
  server: { fault: first(fault) },
  async prove(on) {
    const clock = handClock();
    const played = await clock.play(on.play(posters(on, 1), { clock }));
    expect(outputOf(played)).toEqual([png("A poster: Hello 1.0")]);
    expect(inDoubt(played.journal)).toBe(wirePrice.image);
    expectExact(played, on);
  },
});

export const images: readonly Claim[] = [
  {
    capability,
    title: "as many as asked for, in as many calls as it takes, and the account is the server's bill",
    async prove(on) {
      const played = await on.play(posters(on, 12));
      const { requests } = on.server;
      expect(requests.length).toBeGreaterThan(1);
      const made = requests.flatMap(({ index, images = 0 }) =>
        Array.from({ length: images }, (_, i) => png(`A poster: Hello ${index}.${i}`)),
      );
      expect(made).toHaveLength(12);
      const output = outputOf(played) as GeneratedImage[]; // as the step's type says
      expect(new Set(output.map(({ data }) => String(data)))).toEqual(
        new Set(made.map(({ data }) => String(data))),
      );
      expect(output.every(({ mediaType }) => mediaType === "image/png")).toBe(true);
      expect(played.result.spent.picoUsd).toBe(12n * wirePrice.image);
      expectExact(played, on);
    },
  },
  waitsOut(capability, (on) => posters(on, 1)),
  doubtful("server-error", "after a 500 it is asked again, and the failed call counts in full"),
  doubtful("malformed", "so it is after an answer that cannot be read"),
  doubtful("drop", "and after a dropped connection"),
  hidesKey(capability, (on) => posters(on, 1)),
];

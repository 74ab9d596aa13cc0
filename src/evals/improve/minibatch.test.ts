import { expect, test } from "vitest";
import { chanceOf } from "./chance.ts";
import { Deck } from "./minibatch.ts";

const cases = ["a", "b", "c", "d", "e"].map((id) => ({ id, input: id }));

test("each case of the train split is dealt once before any is dealt twice", () => {
  const deck = new Deck(cases, chanceOf(3));
  for (let round = 0; round < 4; round += 1) {
    const dealt = [...deck.deal(2), ...deck.deal(3)].map(({ id }) => id);
    expect(dealt.toSorted()).toEqual(["a", "b", "c", "d", "e"]);
  }
});

test("a deal has no case twice, none that is held already, and no more than there are", () => {
  const deck = new Deck(cases, chanceOf(3));
  for (let round = 0; round < 20; round += 1) {
    const held = cases.slice(0, 2);
    const ids = deck.deal(4, held).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(["c", "d", "e"]);
  }
});

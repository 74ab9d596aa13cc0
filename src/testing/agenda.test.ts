import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agenda, type Due } from "./agenda.ts";

const nothing = (): boolean => false;

describe("an agenda", () => {
  it("has the earliest first, and of those due together the lower order", () => {
    const agenda = new Agenda<Due>();
    for (const item of [
      { due: 2, order: 0 },
      { due: 1, order: 2 },
      { due: 1, order: 1 },
    ])
      agenda.add(item);
    expect(agenda.first(nothing)).toEqual({ due: 1, order: 1 });
    expect(agenda.first(({ order }) => order === 1)).toEqual({ due: 1, order: 2 });
    expect(agenda.first(() => true)).toBeUndefined();
    expect([...agenda].map(({ order }) => order)).toEqual([0, 2, 1]);
  });

  it("is as a list that is searched from end to end, whatever is added, struck out and passed over", () => {
    const acts = fc.array(fc.tuple(fc.nat(9), fc.nat(20), fc.nat(6)), { maxLength: 400 });
    fc.assert(
      fc.property(acts, (each) => {
        const agenda = new Agenda<Due>();
        let list: Due[] = [];
        for (const [order, [act, due, which]] of each.entries()) {
          const isOver = (item: Due): boolean => item.order % 7 === which;
          const first = list
            .filter((item) => !isOver(item))
            .toSorted((a, b) => a.due - b.due || a.order - b.order)[0];
          expect(agenda.first(isOver)).toBe(first);
          const gone = act < 5 ? list[due % (list.length || 1)] : undefined;
          if (gone !== undefined) {
            expect([agenda.strike(gone), agenda.strike(gone)]).toEqual([true, false]);
            list = list.filter((item) => item !== gone);
          } else {
            const item = { due, order };
            agenda.add(item);
            list.push(item);
          }
        }
        expect([...agenda]).toEqual(list);
      }),
    );
  });
});

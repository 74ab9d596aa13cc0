import { expect, it } from "vitest";
import { WaitingLine } from "./waiting-line.ts";

function line(...numbers: readonly number[]) {
  const called: number[] = [];
  const waiting = new WaitingLine(() => {});
  const places = numbers.map((number, i) => {
    const place = waiting.join();
    place.onCall(() => called.push(i));
    place.hear(number);
    return place;
  });
  called.length = 0;
  return { waiting, places, called };
}

it("the lowest number is the nearest, whoever came first or has heard last", () => {
  const { waiting, places } = line(7, 3, 5);
  expect(places.map(({ isNearest }) => isNearest)).toEqual([false, true, false]);
  places[2]?.hear(5);
  expect(waiting.nearest).toBe(places[1]);
});

it("who leaves, and who hears that its place was lost, has the next one called", () => {
  const { places, called } = line(1, 2, 3);
  places[0]?.hear(4);
  expect(called).toEqual([1]);
  places[1]?.leave();
  expect(called).toEqual([1, 2]);
});

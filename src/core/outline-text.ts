/** An outline as it is kept: what is alike of several places is written once, so that a long chain costs little but its paths. */
import type { Outline, PlaceOutline } from "./outline.ts";
import type { Path } from "./paths.ts";

type Make = Omit<PlaceOutline, "path">;

/** Places in the order of the tree; neighbours of one make together. */
interface Kept extends Omit<Outline, "places"> {
  readonly makes: readonly Make[];
  readonly places: readonly (readonly [make: number, ...paths: Path[]])[];
}

/** The same outline is the same text. */
export function outlineText({ places, ...rest }: Outline): string {
  const makes = new Map<string, number>();
  const groups: [number, ...Path[]][] = [];
  for (const { path, ...make } of places) {
    const text = JSON.stringify(make);
    const number = makes.get(text) ?? makes.size;
    makes.set(text, number);
    const last = groups.at(-1);
    if (last?.[0] === number) last.push(path);
    else groups.push([number, path]);
  }
  const head = JSON.stringify({ ...rest, places: groups }).slice(0, -1);
  return `${head},"makes":[${[...makes.keys()].join(",")}]}`;
}

/** @param text what the engine wrote, now or before places shared their makes. */
export function outlineFrom(text: string): Outline {
  const kept = JSON.parse(text) as Kept | Outline; // one of the two forms
  if (!("makes" in kept)) return kept;
  const { makes, places, ...rest } = kept;
  const placesOf = ([make, ...paths]: Kept["places"][number]): PlaceOutline[] =>
    paths.map((path) => ({ path, ...(makes[make] as Make) })); // outlineText has numbered them
  return { ...rest, places: places.flatMap(placesOf) };
}

/**
 * The part of a run's tree that is on screen. Rows are fetched by the page, those that are looked at; the others are
 * known by their number alone, so that a map of 50,000 items is as quick to open as one of five.
 */
import type { TreePage, TreeRow } from "../../../src/lens/tree.ts";

export const pageSize = 200;

/** Where a page of rows begins. */
export interface PageAt {
  readonly within: string;
  readonly from: number;
}

/** A line on screen: the row at a number below a path, as soon as it is there. */
export interface Line extends PageAt {
  readonly depth: number;
  readonly row: TreeRow | undefined;
  readonly isOpen: boolean;
  /** Rows below the same path. */
  readonly of: number;
}

/** How deep and how wide what opens by itself may be, and the branch it is in: rows that come late must not push others away. */
const opensTo = { depth: 5, children: 12 };

export class Branches {
  readonly #pages = new Map<string, Map<number, TreePage>>();
  readonly #totals = new Map<string, number>();
  /** What the reader has opened or folded. */
  readonly #chosen = new Map<string, boolean>();

  take(pages: readonly TreePage[]): void {
    for (const page of pages) {
      const known = this.#pages.get(page.within) ?? new Map<number, TreePage>();
      this.#pages.set(page.within, known.set(page.from, page));
      this.#totals.set(page.within, page.total);
    }
  }

  toggle(path: string, isOpen: boolean): void {
    this.#chosen.set(path, isOpen);
  }

  /** Opens what a path lies in. */
  reveal(path: string): void {
    for (const { index } of path.matchAll(/[/[:@]/g))
      if (index > 0) this.#chosen.set(path.slice(0, index), true);
  }

  row(within: string, index: number): TreeRow | undefined {
    const from = index - (index % pageSize);
    return this.#pages.get(within)?.get(from)?.rows[index - from];
  }

  /** All lines, open branches included, from the top. */
  lines(): readonly Line[] {
    const lines: Line[] = [];
    this.#add("", this.#totals.get("") ?? 1, 0, lines);
    return lines;
  }

  #add(within: string, of: number, depth: number, lines: Line[]): void {
    for (let from = 0; from < of; from++) {
      const row = this.row(within, from);
      const isOpen = row !== undefined && row.children > 0 && this.#isOpen(row, depth, of);
      lines.push({ within, from, depth, row, isOpen, of });
      if (isOpen) this.#add(row.path, this.#totals.get(row.path) ?? row.children, depth + 1, lines);
    }
  }

  #isOpen({ path, children }: TreeRow, depth: number, of: number): boolean {
    const isSmall = of <= opensTo.children && children <= opensTo.children;
    const opens = depth === 0 || (depth <= opensTo.depth && isSmall);
    return this.#chosen.get(path) ?? opens;
  }
}

/** The pages that some lines are on, each once. */
export function pagesOf(lines: readonly Line[]): readonly PageAt[] {
  const found = new Map<string, PageAt>();
  for (const { within, from: index } of lines) {
    const from = index - (index % pageSize);
    found.set(`${from} ${within}`, { within, from });
  }
  return [...found.values()];
}

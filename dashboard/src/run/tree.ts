/** What the waterfall shows, fetched as it is looked at and again when there is news. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { Pause, TreePage } from "../../../src/lens/tree.ts";
import { get, type Letter, pathOf } from "../wire/http.ts";
import { Branches, type Line, type PageAt, pageSize } from "./branches.ts";

/** The answer of the API. */
export interface TreeAnswer {
  /** The number that the next event of the run will have. */
  readonly next: number;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly ended: number;
  readonly pauses: readonly Pause[];
  readonly pages: readonly TreePage[];
}

export interface TreeView {
  readonly lines: readonly Line[];
  /** Undefined until something has come. */
  readonly span: Omit<TreeAnswer, "pages"> | undefined;
  readonly error: Letter | undefined;
  /** Says which pages are on screen now. */
  look(pages: readonly PageAt[]): void;
  toggle(path: string, isOpen: boolean): void;
  reveal(path: string): void;
}

/** @param news grows when something has happened in the run. */
export function useTree(runId: string, news: number): TreeView {
  const branches = useRef(new Branches());
  const [lines, setLines] = useState<readonly Line[]>(() => branches.current.lines());
  const [span, setSpan] = useState<TreeView["span"]>();
  const [error, setError] = useState<Letter>();
  const [wanted, setWanted] = useState<readonly PageAt[]>([{ within: "", from: 0 }]);
  /** With which news each page was fetched last. */
  const fetched = useRef(new Map<string, number>());

  const isBusy = useRef(false);
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a round that ends may have left newer wishes
  useEffect(() => {
    const stale = wanted.filter((page) => fetched.current.get(keyOf(page)) !== news);
    if (isBusy.current || stale.length === 0) return;
    isBusy.current = true;
    const again = (): void => {
      isBusy.current = false;
      setRound((before) => before + 1);
    };
    askFor(runId, stale).then(
      ({ pages, ...rest }) => {
        for (const page of stale) fetched.current.set(keyOf(page), news);
        branches.current.take(pages);
        setLines(branches.current.lines());
        setSpan(rest);
        setError(undefined);
        again();
      },
      (letter) => {
        setError(letter);
        setTimeout(again, retryMs);
      },
    );
  }, [runId, wanted, news, round]);

  const look = useCallback((pages: readonly PageAt[]): void => {
    setWanted((before) => (sameAs(before, pages) ? before : pages));
  }, []);
  const change = useCallback((act: (branches: Branches) => void): void => {
    act(branches.current);
    setLines(branches.current.lines());
  }, []);
  return {
    lines,
    span,
    error,
    look,
    toggle: useCallback((path, isOpen) => change((known) => known.toggle(path, isOpen)), [change]),
    reveal: useCallback((path) => change((known) => known.reveal(path)), [change]),
  };
}

/** How long until pages that did not come are asked for again. */
const retryMs = 3_000;

function askFor(runId: string, pages: readonly PageAt[]): Promise<TreeAnswer> {
  const at = pages.map(({ within, from }) => ["at", `${from}:${within}`]);
  return get(`${pathOf("runs", runId)}/tree?${new URLSearchParams([...at, ["limit", String(pageSize)]])}`);
}

const keyOf = ({ within, from }: PageAt): string => `${from} ${within}`;

const sameAs = (before: readonly PageAt[], pages: readonly PageAt[]): boolean =>
  before.length === pages.length && before.every((page, i) => keyOf(page) === keyOf(pages[i] as PageAt));

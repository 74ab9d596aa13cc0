import { useEffect, useMemo } from "react";
import { LetterBox } from "../parts/letter.tsx";
import { useRows } from "../parts/rows.ts";
import { useKeys } from "../shell/keys.ts";
import { scaleOf } from "../words/scale.ts";
import { durationText } from "../words/time.ts";
import { type Line, pagesOf } from "./branches.ts";
import type { TreeView } from "./tree.ts";
import { WaterfallRow } from "./waterfall-row.tsx";

const rowHeight = 30;
const rowId = (index: number): string => `line-${index}`;

/** A run's operations as a tree, each with its time on one line for all. */
export function Waterfall({
  tree,
  chosen,
  onChoose,
}: {
  readonly tree: TreeView;
  readonly chosen: string | undefined;
  readonly onChoose: (path: string | undefined) => void;
}) {
  const { lines, span, error, look, toggle } = tree;
  const { box, rows } = useRows(lines.length, rowHeight);
  const items = rows.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  useEffect(() => look(pagesOf(lines.slice(first, last + 1))), [lines, first, last, look]);

  const scale = useMemo(() => span && scaleOf(span.began, span.ended, span.pauses), [span]);
  const at = chosen === undefined ? -1 : lines.findIndex(({ row }) => row?.path === chosen);

  const walk = (by: number): void => {
    const next = Math.min(lines.length - 1, Math.max(0, at + by));
    rows.scrollToIndex(next);
    const path = lines[next]?.row?.path;
    if (path !== undefined) onChoose(path);
  };
  const line = lines[at];
  const fold = (isOpen: boolean): void => {
    if (line?.row === undefined) return;
    if (line.row.children > 0 && line.isOpen !== isOpen) toggle(line.row.path, isOpen);
    else if (isOpen) walk(1);
    else onChoose(line.within === "" ? undefined : above(lines, at)?.row?.path);
  };
  useKeys([
    ["j", () => walk(1)],
    ["k", () => walk(-1)],
    ["ArrowDown", () => walk(1)],
    ["ArrowUp", () => walk(-1)],
    ["ArrowRight", () => fold(true)],
    ["ArrowLeft", () => fold(false)],
    ["Escape", () => onChoose(undefined)],
  ]);

  return (
    <div className="waterfall">
      {error !== undefined && <LetterBox error={error} />}
      <div className="waterfall-head" aria-hidden="true">
        <span>Operation</span>
        <span className="ticks">
          {span && scale && <Ticks began={span.began} ended={span.ended} scale={scale} />}
        </span>
        <span>Lasted</span>
        <span>Cost</span>
      </div>
      <div
        ref={box}
        className="waterfall-body"
        role="treegrid"
        aria-label="Operations"
        aria-rowcount={lines.length}
        aria-activedescendant={at >= first && at <= last ? rowId(at) : undefined}
        tabIndex={0}
      >
        <div className="canvas" style={{ height: rows.getTotalSize() }} role="rowgroup">
          {items.map(({ index, start }) => {
            const shown = lines[index];
            return (
              shown && (
                <WaterfallRow
                  key={`${shown.within} ${shown.from}`}
                  id={rowId(index)}
                  line={shown}
                  index={index}
                  top={start}
                  scale={scale}
                  isChosen={index === at}
                  onChoose={onChoose}
                  onToggle={toggle}
                />
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** The line that holds another. */
function above(lines: readonly Line[], at: number): Line | undefined {
  const depth = lines[at]?.depth ?? 0;
  for (let i = at - 1; i >= 0; i--) if ((lines[i]?.depth ?? 0) < depth) return lines[i];
  return undefined;
}

/** How much time had gone at places of the line, pauses included. */
function Ticks({
  began,
  ended,
  scale,
}: {
  readonly began: number;
  readonly ended: number;
  readonly scale: ReturnType<typeof scaleOf>;
}) {
  const places = [0, 0.25, 0.5, 0.75];
  return places
    .map((place) => (
      <span key={place} className="tick" style={{ left: `${place * 100}%` }}>
        {durationText(scale.moment(place) - began)}
      </span>
    ))
    .concat(
      <span key="end" className="tick end">
        {durationText(ended - began)}
      </span>,
    );
}

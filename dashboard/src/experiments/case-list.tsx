import { type ReactNode, useState } from "react";
import { Empty } from "../parts/empty.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useRows } from "../parts/rows.ts";
import { useKeys } from "../shell/keys.ts";
import { countOf } from "../words/time.ts";
import { useRowsBetween, useTotal } from "./experiments.ts";

const rowHeight = 36;

interface OneCase {
  readonly caseId: string;
}

/** Cases of an experiment, of which only those on screen are there; the chosen one stands beside them with all it has. */
export function CaseList<Row extends OneCase>({
  path,
  fields,
  isUnderWay = false,
  head,
  line,
  detail,
}: {
  /** Of the API. */
  readonly path: string;
  readonly fields: { readonly [name: string]: string | undefined };
  readonly isUnderWay?: boolean;
  readonly head: readonly string[];
  /** A cell for each heading. */
  readonly line: (row: Row) => readonly ReactNode[];
  readonly detail: (row: Row) => ReactNode;
}) {
  const { total, error } = useTotal<Row>(path, fields, isUnderWay);
  const { box, rows } = useRows(total ?? 0, rowHeight);
  const visible = rows.getVirtualItems();
  const [first, last] = [visible[0]?.index ?? 0, visible.at(-1)?.index ?? 0];
  const rowAt = useRowsBetween<Row>(path, fields, first, last);
  const [at, setAt] = useState<number>();
  const [chosen, choose] = useState<Row>();
  const open = (index: number): void => {
    const row = rowAt(index);
    if (row === undefined) return;
    setAt(index);
    choose(row);
  };
  const walk = (by: number): void => {
    const next = Math.min((total ?? 0) - 1, Math.max(0, (at ?? -1) + by));
    rows.scrollToIndex(next);
    open(next);
  };
  const close = (): void => {
    setAt(undefined);
    choose(undefined);
  };
  useKeys([
    ["j", () => walk(1)],
    ["k", () => walk(-1)],
    ["ArrowDown", () => walk(1)],
    ["ArrowUp", () => walk(-1)],
    ["Escape", close],
  ]);
  const label = countOf(total ?? 0, "case");
  if (error !== null) return <LetterBox error={error} />;
  if (total === 0) return <Empty title="No cases" text="None was tried yet, or none is like that." />;
  return (
    <div className={chosen === undefined ? "case-list" : "case-list split"}>
      <div className="table" role="table" aria-label="Cases" aria-rowcount={(total ?? 0) + 1}>
        <div className="case-line table-head" role="row">
          {head.map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys */}
        <div ref={box} className="table-body" tabIndex={0} role="rowgroup" aria-label={label}>
          <div className="canvas" style={{ height: rows.getTotalSize() }}>
            {visible.map(({ index, start }) => {
              const row = rowAt(index);
              const cells = row === undefined ? head.map(() => "…") : line(row);
              return (
                <div
                  key={index}
                  role="row"
                  aria-rowindex={index + 2}
                  aria-selected={index === at}
                  className="case-line row"
                  style={{ transform: `translateY(${start}px)` }}
                  data-case={row?.caseId}
                >
                  {cells.map((cell, i) => (
                    <span key={head[i]} role="cell">
                      {i === 0 && row !== undefined ? (
                        <button type="button" className="as-text row-link mono" onClick={() => open(index)}>
                          {cell}
                        </button>
                      ) : (
                        cell
                      )}
                    </span>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {chosen !== undefined && (
        <aside className="card case-detail" aria-label="Case">
          <div className="operation-head">
            <h2 className="mono">{chosen.caseId}</h2>
            <button type="button" className="button tight" onClick={close}>
              Close
            </button>
          </div>
          {detail(chosen)}
        </aside>
      )}
    </div>
  );
}

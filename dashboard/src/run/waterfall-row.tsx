import { Count, Duration, Money } from "../parts/figures.tsx";
import { Sign } from "../parts/status.tsx";
import type { Scale } from "../words/scale.ts";
import type { Line } from "./branches.ts";
import { partText, toneOf } from "./kinds.ts";

export function WaterfallRow({
  id,
  line,
  index,
  top,
  scale,
  isChosen,
  onChoose,
  onToggle,
}: {
  readonly id: string;
  readonly line: Line;
  readonly index: number;
  readonly top: number;
  readonly scale: Scale | undefined;
  readonly isChosen: boolean;
  readonly onChoose: (path: string) => void;
  readonly onToggle: (path: string, isOpen: boolean) => void;
}) {
  const { row, depth, isOpen, of, from } = line;
  const place = {
    id,
    role: "row",
    className: "waterfall-line row",
    style: { transform: `translateY(${top}px)` },
    "aria-level": depth + 1,
    "aria-rowindex": index + 1,
    "aria-setsize": of,
    "aria-posinset": from + 1,
  };
  if (row === undefined)
    return (
      <div {...place}>
        <span role="gridcell" className="operation-name muted" style={{ paddingLeft: indent(depth) }}>
          …
        </span>
      </div>
    );
  const { path, name, kind, status, attempts, children, model, cached, began, ended, costUsd } = row;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys for its rows
    <div
      {...place}
      aria-expanded={children > 0 ? isOpen : undefined}
      aria-selected={isChosen}
      data-path={path}
      onClick={() => onChoose(path)}
      onDoubleClick={() => onToggle(path, !isOpen)}
    >
      <span role="gridcell" className="operation-name" style={{ paddingLeft: indent(depth) }}>
        {children > 0 ? (
          <button
            type="button"
            className={isOpen ? "fold open" : "fold"}
            tabIndex={-1}
            aria-label={isOpen ? "Fold" : "Open"}
            onClick={(event) => {
              event.stopPropagation();
              onToggle(path, !isOpen);
            }}
          >
            <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
              <path d="M3 1.5 L7 5 L3 8.5" fill="none" stroke="currentColor" strokeWidth="1.6" />
            </svg>
          </button>
        ) : (
          <span className="fold" />
        )}
        <Sign status={status} />
        <span className="unseen">{status}</span>
        <span className="name" title={path}>
          {partText(name)}
        </span>
        <span className="kind">
          {model ?? (kind === "place" ? "" : kind)}
          {children > opensWide && (
            <>
              {" · "}
              <Count n={children} name={`row.children ${path}`} />
            </>
          )}
        </span>
        {attempts > 1 && (
          <span className="mark amber">
            <Count n={attempts} name={`row.attempts ${path}`} /> attempts
          </span>
        )}
        {cached && <span className="mark teal">cached</span>}
      </span>
      <span role="gridcell" className="track" aria-hidden="true">
        {scale && (
          <Bar scale={scale} began={began} ended={ended} tone={toneOf(row)} isLive={status === "running"} />
        )}
      </span>
      <span role="gridcell" className="muted">
        <Duration ms={ended - began} name={`row.duration ${path}`} />
      </span>
      <span role="gridcell" className={costUsd === "0" ? "muted" : ""}>
        {costUsd === "0" ? "–" : <Money usd={costUsd} name={`row.cost ${path}`} />}
      </span>
    </div>
  );
}

/** From so many rows on, their number is said. */
const opensWide = 3;
const indent = (depth: number): number => 10 + Math.min(depth, 14) * 16;

function Bar({
  scale,
  began,
  ended,
  tone,
  isLive,
}: {
  readonly scale: Scale;
  readonly began: number;
  readonly ended: number;
  readonly tone: string;
  readonly isLive: boolean;
}) {
  const [left, right] = [scale.at(began) * 100, scale.at(ended) * 100];
  return (
    <>
      {scale.gaps.map(({ from, to }) => (
        <span key={from} className="gap" style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }} />
      ))}
      <span
        className={`bar ${tone}${isLive ? " live" : ""}`}
        style={{ left: `${left}%`, width: `max(3px, ${right - left}%)` }}
      />
    </>
  );
}

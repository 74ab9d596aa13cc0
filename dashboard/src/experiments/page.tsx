import { useEffect, useState } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import type { ExperimentLine } from "../../../src/evals/views/view.ts";
import { Empty } from "../parts/empty.tsx";
import { Ago, Count, Money } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useRows } from "../parts/rows.ts";
import { Status } from "../parts/status.tsx";
import { useKeys } from "../shell/keys.ts";
import { useTitle } from "../shell/title.ts";
import { countOf } from "../words/time.ts";
import { type Filter, useExperiments } from "./experiments.ts";
import { History } from "./history.tsx";
import { Estimate, Interval } from "./score.tsx";
import "../styles/stats.css";
import "../styles/experiments.css";

const rowHeight = 44;

/** All experiments, the newest first, and how their scores went. */
export default function ExperimentsPage() {
  useTitle("Experiments");
  const [search, setSearch] = useSearchParams();
  const [, go] = useLocation();
  const filter: Filter = {
    dataset: search.get("dataset") ?? undefined,
    pipeline: search.get("pipeline") ?? undefined,
  };
  const { data, error, fetchNextPage, hasNextPage, isFetchingNextPage, isPending } = useExperiments(filter);
  const all = data?.pages.flatMap(({ experiments }) => experiments) ?? [];
  const { box, rows } = useRows(all.length, rowHeight);
  const [chosen, choose] = useState<string>();
  const at = all.findIndex(({ name }) => name === chosen);
  const walk = (by: number): void => {
    const next = Math.min(all.length - 1, Math.max(0, at + by));
    choose(all[next]?.name);
    rows.scrollToIndex(next);
  };
  useKeys([
    ["j", () => walk(1)],
    ["k", () => walk(-1)],
    ["ArrowDown", () => walk(1)],
    ["ArrowUp", () => walk(-1)],
    ["Enter", () => chosen !== undefined && go(addressOf(chosen))],
    ["Escape", () => choose(undefined)],
  ]);
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    // A filter may let none of a page through, and more of the next one.
    if (hasNextPage && !isFetchingNextPage && last >= all.length - 10) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, last, all.length, fetchNextPage]);
  const narrow = (next: Filter): void =>
    setSearch(new URLSearchParams(Object.entries(next).filter(([, text]) => text)), { replace: true });
  return (
    <section className="page experiments-page">
      <div className="page-head">
        <h1>Experiments</h1>
        <p className="muted" role="status">
          {!isPending && `${countOf(all.length, "experiment")}${hasNextPage ? " so far" : ""}`}
        </p>
      </div>
      <Narrowing filter={filter} onChange={narrow} />
      {error !== null && <LetterBox error={error} />}
      {!isPending && error === null && !hasNextPage && all.length === 0 ? (
        <Empty
          title="No experiments yet"
          text="Try a pipeline on the cases of a dataset, and see here how it scores:"
        >
          <pre className="command">flujo eval pipeline.ts cases.jsonl --name baseline</pre>
        </Empty>
      ) : (
        <>
          <History of={all} />
          <div
            className="table"
            role="table"
            aria-label="Experiments"
            aria-rowcount={hasNextPage ? -1 : all.length + 1}
          >
            <div className="experiment-line table-head" role="row">
              {["Status", "Experiment", "Pipeline", "Dataset", "Begun", "Score", "Failed trials", "Cost"].map(
                (name) => (
                  <span key={name} role="columnheader">
                    {name}
                  </span>
                ),
              )}
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys */}
            <div ref={box} className="table-body" tabIndex={0} role="rowgroup" aria-label="All experiments">
              <div className="canvas" style={{ height: rows.getTotalSize() }}>
                {visible.map(({ index, start }) => {
                  const line = all[index];
                  return (
                    line && (
                      <Row
                        key={line.name}
                        of={line}
                        index={index}
                        top={start}
                        isChosen={index === at}
                        onNarrow={narrow}
                      />
                    )
                  );
                })}
              </div>
            </div>
          </div>
        </>
      )}
    </section>
  );
}

const addressOf = (name: string): string => `/experiments/${encodeURIComponent(name)}`;

function Row({
  of: { name, status, at, pipeline, dataset, score, tried, failed, costUsd },
  index,
  top,
  isChosen,
  onNarrow,
}: {
  readonly of: ExperimentLine;
  readonly index: number;
  readonly top: number;
  readonly isChosen: boolean;
  readonly onNarrow: (filter: Filter) => void;
}) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isChosen}
      className="experiment-line row"
      style={{ transform: `translateY(${top}px)` }}
      data-experiment={name}
    >
      <span role="cell">
        <Status status={status} />
      </span>
      <span role="cell">
        <Link href={addressOf(name)} className="row-link mono">
          {name}
        </Link>
      </span>
      <span role="cell">
        <button type="button" className="as-text above" onClick={() => onNarrow({ pipeline })}>
          {pipeline}
        </button>
      </span>
      <span role="cell">
        <button type="button" className="as-text above" onClick={() => onNarrow({ dataset: dataset.name })}>
          {dataset.name}
        </button>
      </span>
      <span role="cell" className="muted">
        <Ago at={at} />
      </span>
      <span role="cell" className="score-cell">
        {score === null ? (
          <span className="muted">none yet</span>
        ) : (
          <>
            <span>
              <Estimate of={score} name={`experiments.score ${name}`} />
            </span>
            <Interval of={score} />
          </>
        )}
      </span>
      <span role="cell">
        <Count n={failed} name={`experiments.failed ${name}`} />
        <span className="muted">
          {" of "}
          <Count n={tried} name={`experiments.tried ${name}`} />
        </span>
      </span>
      <span role="cell">
        <Money usd={costUsd} name={`experiments.cost ${name}`} />
      </span>
    </div>
  );
}

function Narrowing({
  filter,
  onChange,
}: {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}) {
  const set = (["pipeline", "dataset"] as const).flatMap((field) =>
    filter[field] === undefined ? [] : [{ field, value: filter[field] }],
  );
  if (set.length === 0) return null;
  return (
    <search className="filter-bar">
      {set.map(({ field, value }) => (
        <button
          key={field}
          type="button"
          className="chip on"
          onClick={() => onChange({ ...filter, [field]: undefined })}
        >
          {field === "dataset" ? "on" : "of"} {value}
          <span className="unseen">, show all</span>
          <span aria-hidden="true">×</span>
        </button>
      ))}
    </search>
  );
}

import { useEffect, useRef, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { Empty } from "../parts/empty.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useRows } from "../parts/rows.ts";
import { useKeys } from "../shell/keys.ts";
import { useTitle } from "../shell/title.ts";
import { countOf } from "../words/time.ts";
import "../styles/runs.css";
import { FilterBar } from "./filter-bar.tsx";
import { RunRow } from "./row.tsx";
import { type Filter, useRuns } from "./runs.ts";

const rowHeight = 44;

/** All runs, the newest first. */
export function RunsPage() {
  useTitle("Runs");
  const [search, setSearch] = useSearchParams();
  const [, go] = useLocation();
  const field = useRef<HTMLInputElement>(null);
  const filter: Filter = {
    status: search.get("status") ?? undefined,
    pipeline: search.get("pipeline") ?? undefined,
    id: search.get("id") ?? undefined,
    trials: search.get("trials") ?? undefined,
  };
  const { data, error, fetchNextPage, hasNextPage, isFetchingNextPage, isPending } = useRuns(filter);
  const runs = data?.pages.flatMap((page) => page.runs) ?? [];
  const { box, rows } = useRows(runs.length, rowHeight);
  const [chosen, choose] = useState<string>();
  const at = runs.findIndex(({ runId }) => runId === chosen);

  const walk = (by: number): void => {
    const next = Math.min(runs.length - 1, Math.max(0, at + by));
    choose(runs[next]?.runId);
    rows.scrollToIndex(next);
  };
  const open = (): void => {
    const run = runs[at];
    if (run !== undefined) go(`/runs/${encodeURIComponent(run.runId)}`);
  };
  useKeys([
    ["/", () => field.current?.focus()],
    ["j", () => walk(1)],
    ["k", () => walk(-1)],
    ["ArrowDown", () => walk(1)],
    ["ArrowUp", () => walk(-1)],
    ["Enter", open],
    ["Escape", () => choose(undefined)],
  ]);

  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= runs.length - 20) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, last, runs.length, fetchNextPage]);

  return (
    <section className="page runs-page">
      <div className="page-head">
        <h1>Runs</h1>
        <p className="muted" role="status">
          {!isPending && `${countOf(runs.length, "run")}${hasNextPage ? " so far" : ""}`}
        </p>
      </div>
      <FilterBar
        ref={field}
        filter={filter}
        onChange={(next) =>
          setSearch(new URLSearchParams(Object.entries(next).filter(([, text]) => text)), { replace: true })
        }
      />
      {error !== null && <LetterBox error={error} />}
      {!isPending && error === null && runs.length === 0 ? (
        <NoRuns isFiltered={Object.values(filter).some((text) => text !== undefined)} />
      ) : (
        <div
          className="table"
          role="table"
          aria-label="Runs"
          aria-rowcount={hasNextPage ? -1 : runs.length + 1}
        >
          <div className="run-line table-head" role="row">
            {["Status", "Run", "Pipeline", "Started", "Lasted", "Tokens", "Cost"].map((name) => (
              <span key={name} role="columnheader">
                {name}
              </span>
            ))}
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys */}
          <div ref={box} className="table-body" tabIndex={0} role="rowgroup" aria-label="All runs">
            <div className="canvas" style={{ height: rows.getTotalSize() }}>
              {visible.map(({ index, start }) => {
                const run = runs[index];
                return (
                  run && (
                    <RunRow key={run.runId} run={run} index={index} top={start} isChosen={index === at} />
                  )
                );
              })}
            </div>
          </div>
        </div>
      )}
    </section>
  );
}

function NoRuns({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Empty
        title="No run is like that"
        text="Another status, a shorter beginning of an id, or trials of experiments among them may find it."
      />
    );
  return (
    <Empty title="No runs yet" text="Start one, and watch it here:">
      <pre className="command">flujo run examples/hello.ts --input Flujo</pre>
    </Empty>
  );
}

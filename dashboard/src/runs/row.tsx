import { Link } from "wouter";
import type { RunLine } from "../../../src/lens/list.ts";
import { Ago, Count, Duration, Money } from "../parts/figures.tsx";
import { Status } from "../parts/status.tsx";
import { useNow } from "../shell/clock.ts";

export function RunRow({
  run,
  index,
  top,
  isChosen,
}: {
  readonly run: RunLine;
  readonly index: number;
  readonly top: number;
  readonly isChosen: boolean;
}) {
  const { runId, pipeline, status, createdAt, spent } = run;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isChosen}
      className="run-line row"
      style={{ transform: `translateY(${top}px)` }}
      data-run={runId}
    >
      <span role="cell">
        <Status status={status} />
      </span>
      <span role="cell">
        <Link href={`/runs/${encodeURIComponent(runId)}`} className="row-link mono">
          {runId}
        </Link>
      </span>
      <span role="cell">{pipeline}</span>
      <span role="cell" className="muted">
        <Ago at={createdAt} />
      </span>
      <span role="cell" className="muted">
        <Lasted run={run} />
      </span>
      <span role="cell">
        <Count n={spent.inputTokens + spent.outputTokens} name={`runs.tokens ${runId}`} />
      </span>
      <span role="cell">
        <Money usd={spent.costUsd} name={`runs.cost ${runId}`} />
      </span>
    </div>
  );
}

/** How long it has lasted: until now, while it runs. */
function Lasted({ run }: { readonly run: RunLine }) {
  const now = useNow();
  const end = run.status === "running" ? Math.max(now, Date.parse(run.updatedAt)) : Date.parse(run.updatedAt);
  return <Duration ms={end - Date.parse(run.createdAt)} name={`runs.duration ${run.runId}`} />;
}

import { Link } from "wouter";
import type { CaseView, TrialView } from "../../../src/evals/views/view.ts";
import { Duration, Money } from "../parts/figures.tsx";
import { Status } from "../parts/status.tsx";
import { Value } from "../parts/value.tsx";
import { Score } from "./score.tsx";

/** What a case asks, and what is expected. */
export function Asked({
  of: { input, expected, tags, cluster },
}: {
  readonly of: Pick<CaseView, "input" | "expected" | "tags" | "cluster">;
}) {
  return (
    <>
      {(tags.length > 0 || cluster !== null) && (
        <p className="small muted">
          {[...(cluster === null ? [] : [`cluster ${cluster}`]), ...tags].join(", ")}
        </p>
      )}
      <h3>Input</h3>
      <Value of={input} label="Input of the case" />
      {expected !== null && (
        <>
          <h3>Expected</h3>
          <Value of={expected} label="What is expected" />
        </>
      )}
    </>
  );
}

/** Every trial of a case: what came of it, what the scorers say, and the run. */
export function Trials({ of, label }: { readonly of: readonly TrialView[]; readonly label: string }) {
  return of.map(({ trial, runId, status, score, scores, output, error, costUsd, durationMs }) => (
    <section key={runId} className="trial">
      <h3>
        <Link href={`/runs/${encodeURIComponent(runId)}`} className="text-link mono">
          {runId}
        </Link>
      </h3>
      <p className="small trial-facts">
        <Status status={status} /> <Score n={score} name={`trial.score ${runId}`} />{" "}
        <Money usd={costUsd} name={`trial.cost ${runId}`} />{" "}
        {durationMs !== null && <Duration ms={durationMs} name={`trial.duration ${runId}`} />}
      </p>
      {output !== null && <Value of={output} label={`${label}, trial ${trial}`} />}
      {error !== null && <p className="red small said">{error}</p>}
      <ul className="small">
        {scores.map(({ scorer, score: by, feedback }) => (
          <li key={scorer} className="said">
            {scorer} <Score n={by} name={`trial.by ${scorer} ${runId}`} />: {feedback}
          </li>
        ))}
      </ul>
    </section>
  ));
}

/** The first words on a case: its error, or what the scorer says that was content least. */
export function wordOn(trials: readonly TrialView[]): string {
  const worst = trials.toSorted((a, b) => a.score - b.score)[0];
  return worst?.error ?? worst?.scores.toSorted((a, b) => a.score - b.score)[0]?.feedback ?? "";
}

import type { ReactNode } from "react";
import type { LatencyView, ModelStats, PipelineStats, StepStats } from "../../../src/lens/stats.ts";
import { Count, Duration, Money } from "../parts/figures.tsx";
import { PathText } from "../parts/path-text.tsx";

/** Steps that are listed: the dearest, then the slowest. */
const mostSteps = 100;

export function Pipelines({
  of,
  onChoose,
}: {
  readonly of: readonly PipelineStats[];
  readonly onChoose: (pipeline: string) => void;
}) {
  return (
    <Table title="By pipeline" head={["Pipeline", "Runs", "Completed", "p50", "p95", "Cost"]}>
      {of.map(({ pipeline, runs, completedShare, durationMs, spent }) => (
        <tr key={pipeline}>
          <th scope="row">
            <button type="button" className="text-link as-text" onClick={() => onChoose(pipeline)}>
              {pipeline}
            </button>
          </th>
          <td>
            <Count n={runs} name={`stats.runs ${pipeline}`} />
          </td>
          <td>
            {completedShare === null ? "" : <Share of={completedShare} name={`stats.share ${pipeline}`} />}
          </td>
          <Latency of={durationMs} name={pipeline} />
          <td>
            <Money usd={spent.costUsd} name={`stats.cost ${pipeline}`} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

export function Steps({ of }: { readonly of: readonly StepStats[] }) {
  return (
    <Table title="By step" head={["Step", "Done", "Failed attempts", "p50", "p95", "Cost"]}>
      {of.slice(0, mostSteps).map(({ pipeline, step, completed, failed, durationMs, spent }) => (
        <tr key={`${pipeline} ${step}`}>
          <th scope="row" className="mono">
            <PathText path={step} />
          </th>
          <td>
            <Count n={completed} name={`stats.step.completed ${step}`} />
          </td>
          <td>
            <Count n={failed} name={`stats.step.failed ${step}`} />
          </td>
          <Latency of={durationMs} name={step} />
          <td>
            <Money usd={spent.costUsd} name={`stats.step.cost ${step}`} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

export function Models({ of }: { readonly of: readonly ModelStats[] }) {
  if (of.length === 0) return null;
  return (
    <Table title="By model" head={["Model", "Calls", "Tokens", "p50", "p95", "Cost"]}>
      {of.map(({ model, calls, durationMs, spent }) => (
        <tr key={model}>
          <th scope="row" className="mono">
            {model}
          </th>
          <td>
            <Count n={calls} name={`stats.model.calls ${model}`} />
          </td>
          <td>
            <Count n={spent.inputTokens + spent.outputTokens} name={`stats.model.tokens ${model}`} />
          </td>
          <Latency of={durationMs} name={model} />
          <td>
            <Money usd={spent.costUsd} name={`stats.model.cost ${model}`} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Table({
  title,
  head,
  children,
}: {
  readonly title: string;
  readonly head: readonly string[];
  readonly children: ReactNode;
}) {
  return (
    <section className="card">
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys */}
      <div className="scrolled" tabIndex={0} role="group" aria-label={title}>
        <table className="figures-table">
          <thead>
            <tr>
              {head.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </section>
  );
}

function Latency({ of: { p50, p95 }, name }: { readonly of: LatencyView; readonly name: string }) {
  return (
    <>
      <td>{p50 !== null && <Duration ms={p50} name={`stats.p50 ${name}`} />}</td>
      <td>{p95 !== null && <Duration ms={p95} name={`stats.p95 ${name}`} />}</td>
    </>
  );
}

/** Rounded down: only all is 100 %. */
function Share({ of, name }: { readonly of: number; readonly name: string }) {
  return (
    <data className="number" value={of} data-figure={name}>
      {(Math.floor(of * 1_000) / 10).toFixed(1)} %
    </data>
  );
}

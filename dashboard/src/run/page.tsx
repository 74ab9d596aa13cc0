import { Link, useSearchParams } from "wouter";
import type { RunView } from "../../../src/lens/show.ts";
import { Ago, Count, Duration, Money } from "../parts/figures.tsx";
import { Gauge } from "../parts/gauge.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { Status } from "../parts/status.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Trail } from "../parts/trail.tsx";
import { Value } from "../parts/value.tsx";
import { useNow } from "../shell/clock.ts";
import { useTitle } from "../shell/title.ts";
import { decimalOf, picoOf } from "../words/money.ts";
import { momentText } from "../words/time.ts";
import "../styles/run.css";
import { Actions } from "./actions.tsx";
import { Costs } from "./costs.tsx";
import { Graph } from "./graph.tsx";
import { useRun, useRunNews } from "./run.ts";
import { Standing } from "./standing.tsx";
import { States } from "./states.tsx";
import { Timeline } from "./timeline.tsx";

/** One run: how it stands, what it did, what it cost. */
export default function RunPage({ runId }: { readonly runId: string }) {
  useTitle(runId);
  const { data: detail, error } = useRun(runId);
  const news = useRunNews(runId, detail);
  const [search, setSearch] = useSearchParams();
  const tab = search.get("tab") ?? "timeline";
  if (detail === undefined && error === null) return <p className="loading">Loading {runId}…</p>;
  if (detail === undefined)
    return (
      <section className="page">
        <h1 className="mono">{runId}</h1>
        {error !== null && <LetterBox error={error} />}
        <p>
          <Link href="/runs" className="text-link">
            All runs
          </Link>
        </p>
      </section>
    );
  const { run } = detail;
  return (
    <section className="page run-page">
      <div className="page-head">
        <Trail
          steps={[
            { name: "Runs", href: "/runs" },
            { name: run.pipeline, href: `/runs?pipeline=${encodeURIComponent(run.pipeline)}` },
          ]}
        />
        <h1 className="mono">{runId}</h1>
        <Status status={run.status} />
        <Actions detail={detail} />
      </div>
      {run.submitted !== undefined && <Submitted terms={run.submitted} />}
      {run.forkedFrom !== undefined && <Fork runId={runId} from={run.forkedFrom} />}
      {run.overlay !== undefined && <Overlay changes={run.overlay} />}
      {run.pipeline === "flujo-eval" && (
        <p className="muted">
          An experiment:{" "}
          <Link href={`/experiments/${encodeURIComponent(runId)}`} className="text-link">
            its scores
          </Link>
        </p>
      )}
      <Figures run={run} />
      <Standing run={run} />
      <Tabs
        label="Views of the run"
        chosen={tab}
        onChoose={(id) => setSearch({ tab: id }, { replace: true })}
        tabs={[
          { id: "timeline", name: "Timeline", content: () => <Timeline runId={runId} news={news} /> },
          { id: "graph", name: "Graph", content: () => <Graph runId={runId} news={news} /> },
          { id: "costs", name: "Costs", content: () => <Costs run={run} news={news} /> },
          { id: "state", name: "State", content: () => <States runId={runId} news={news} /> },
          { id: "values", name: "Input and output", content: () => <Values run={run} /> },
        ]}
      />
    </section>
  );
}

function Figures({ run }: { readonly run: RunView }) {
  const now = useNow();
  const { spent, held, limits, createdAt, durationMs, status } = run;
  const settled = decimalOf(picoOf(spent.costUsd) - picoOf(held.costUsd));
  const lasted = status === "running" ? Math.max(durationMs, now - Date.parse(createdAt)) : durationMs;
  return (
    <dl className="figures card">
      <div className="wide">
        <dt>Budget</dt>
        <dd>
          <Gauge limitUsd={limits.costUsd} settledUsd={settled} heldUsd={held.costUsd} name="run" />
        </dd>
      </div>
      <div>
        <dt>Model calls</dt>
        <dd>
          <Count n={spent.calls} name="run.calls" />
          <Of limit={limits.calls} name="run.limit.calls" />
        </dd>
      </div>
      <div>
        <dt>Tokens in</dt>
        <dd>
          <Count n={spent.inputTokens} name="run.inputTokens" />
        </dd>
      </div>
      <div>
        <dt>Tokens out</dt>
        <dd>
          <Count n={spent.outputTokens} name="run.outputTokens" />
        </dd>
      </div>
      {spent.toolCalls !== undefined && (
        <div>
          <dt>Tool calls</dt>
          <dd>
            <Count n={spent.toolCalls} name="run.toolCalls" />
            <Of limit={limits.toolCalls} name="run.limit.toolCalls" />
          </dd>
        </div>
      )}
      <div>
        <dt>Lasted</dt>
        <dd>
          <Duration ms={lasted} name="run.duration" />
        </dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>
          <Ago at={createdAt} />
        </dd>
      </div>
    </dl>
  );
}

/** What a fork comes from, and what it did not have to pay. */
function Overlay({ changes }: { readonly changes: NonNullable<RunView["overlay"]> }) {
  return (
    <p className="muted">
      Under an overlay of{" "}
      {changes.map(({ path, field }, i) => (
        <span key={`${path} ${field}`}>
          {i > 0 && ", "}
          {field} of <code>{path}</code>
        </span>
      ))}
    </p>
  );
}

function Submitted({
  terms: { queue, priority, tenant, notBefore },
}: {
  readonly terms: NonNullable<RunView["submitted"]>;
}) {
  return (
    <p className="muted">
      Submitted to the queue <code>{queue}</code>
      {priority > 0 && `, priority ${priority}`}
      {tenant !== undefined && (
        <>
          , for <code>{tenant}</code>
        </>
      )}
      {notBefore !== undefined && `; not to begin before ${momentText(Date.parse(notBefore))}`}.
    </p>
  );
}

function Fork({
  runId,
  from: { runId: parent, at, sharedUsd },
}: {
  readonly runId: string;
  readonly from: NonNullable<RunView["forkedFrom"]>;
}) {
  const id = encodeURIComponent(parent);
  return (
    <p className="muted">
      A fork of{" "}
      <Link href={`/runs/${id}?at=${encodeURIComponent(at)}`} className="text-link mono">
        {parent}
      </Link>{" "}
      at <code>{at}</code>: what comes before is shared, and had cost{" "}
      <Money usd={sharedUsd} name="run.shared" />.{" "}
      <Link href={`/compare?a=${id}&b=${encodeURIComponent(runId)}`} className="text-link">
        Compare them
      </Link>
    </p>
  );
}

function Of({ limit, name }: { readonly limit: number | undefined; readonly name: string }) {
  if (limit === undefined) return null;
  return (
    <span className="muted">
      {" of "}
      <Count n={limit} name={name} />
    </span>
  );
}

function Values({ run }: { readonly run: RunView }) {
  return (
    <div className="values">
      <section>
        <h2>Input</h2>
        <Value of={run.input} label="Input of the run" />
      </section>
      <section>
        <h2>Output</h2>
        {run.status === "completed" ? (
          <Value of={run.output} label="Output of the run" />
        ) : (
          <p className="muted">A run has an output when it is completed.</p>
        )}
      </section>
    </div>
  );
}

import { useSearchParams } from "wouter";
import { Empty } from "../parts/empty.tsx";
import { Count } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useTitle } from "../shell/title.ts";
import { Days } from "./days.tsx";
import { newest, type Span, spans, useStats } from "./stats.ts";
import { Models, Pipelines, Steps } from "./tables.tsx";
import "../styles/stats.css";

/** How runs go: how many end well, how long they and their parts take, what they cost. */
export default function StatsPage() {
  useTitle("Stats");
  const [search, setSearch] = useSearchParams();
  const span = (spans.find(({ id }) => id === search.get("span"))?.id ?? "month") satisfies Span;
  const pipeline = search.get("pipeline") ?? undefined;
  const { data, error, isFetching } = useStats(span, pipeline);
  const choose = (chosen: { readonly span: Span; readonly pipeline?: string | undefined }): void =>
    setSearch(
      { span: chosen.span, ...(chosen.pipeline === undefined ? {} : { pipeline: chosen.pipeline }) },
      { replace: true },
    );
  return (
    <section className="page">
      <div className="page-head">
        <h1>Stats</h1>
        <p className="muted" role="status">
          {data !== undefined && (
            <>
              <Count n={data.runs} name="stats.runs" /> runs
              {!data.all && `, the newest ${newest}: flujo lens stats reads all`}
            </>
          )}
          {isFetching && " Reading journals…"}
        </p>
      </div>
      <search className="filter-bar">
        <fieldset className="chips">
          <legend className="unseen">Runs of the last</legend>
          {spans.map(({ id, name }) => (
            <button
              key={id}
              type="button"
              className={id === span ? "chip on" : "chip"}
              aria-pressed={id === span}
              onClick={() => choose({ span: id, pipeline })}
            >
              {name}
            </button>
          ))}
        </fieldset>
        {pipeline !== undefined && (
          <button type="button" className="chip on" onClick={() => choose({ span })}>
            of {pipeline}
            <span className="unseen">, show all pipelines</span>
            <span aria-hidden="true">×</span>
          </button>
        )}
      </search>
      {error !== null && <LetterBox error={error} />}
      {data?.runs === 0 && (
        <Empty
          title="No runs in that time"
          text="Figures are of runs that were begun in it. Choose a longer time, or start one."
        />
      )}
      {data !== undefined && data.runs > 0 && (
        <>
          <Days of={data.days} />
          <Pipelines of={data.pipelines} onChoose={(name) => choose({ span, pipeline: name })} />
          <Steps of={data.steps} />
          <Models of={data.models} />
        </>
      )}
    </section>
  );
}

import { Link, useLocation, useSearchParams } from "wouter";
import type { CaseView, ExperimentView } from "../../../src/evals/views/view.ts";
import { Ago, Count, Duration, Money } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { Status } from "../parts/status.tsx";
import { Trail } from "../parts/trail.tsx";
import { useTitle } from "../shell/title.ts";
import { pathOf } from "../wire/http.ts";
import { CaseList } from "./case-list.tsx";
import { Estimates } from "./estimates.tsx";
import { useExperiment, useExperiments } from "./experiments.ts";
import { Estimate, Interval, Score } from "./score.tsx";
import { Asked, Trials, wordOn } from "./trials.tsx";
import "../styles/stats.css";
import "../styles/experiments.css";

/** One experiment: how it scores, where it fails, and every case of it. */
export default function ExperimentPage({ name }: { readonly name: string }) {
  useTitle(name);
  const { data, error } = useExperiment(name);
  const [search, setSearch] = useSearchParams();
  const tag = search.get("tag") ?? undefined;
  return (
    <section className="page">
      <div className="page-head">
        <Trail steps={[{ name: "Experiments", href: "/experiments" }]} />
        <h1 className="mono">{name}</h1>
        {data !== undefined && <Status status={data.status} />}
        {data !== undefined && <Others of={data} />}
      </div>
      {error !== null && <LetterBox error={error} />}
      {data !== undefined && (
        <>
          <p className="muted">
            {data.pipeline} <span className="mono">{data.fingerprint}</span> on {data.dataset.name}, by{" "}
            {data.scorers.join(", ")}.{" "}
            <Link href={`/runs/${encodeURIComponent(name)}`} className="text-link">
              Its run
            </Link>
          </p>
          <Figures of={data} />
          {data.caution !== null && (
            <p className="letter amber-letter" data-caution>
              {data.caution}
            </p>
          )}
          <Parts of={data} />
          <Failures of={data} />
          <div className="page-head">
            <h2>Cases, the worst first</h2>
            {tag !== undefined && (
              <button type="button" className="chip on" onClick={() => setSearch({}, { replace: true })}>
                tagged {tag}
                <span className="unseen">, show all</span>
                <span aria-hidden="true">×</span>
              </button>
            )}
            {tag === undefined &&
              Object.keys(data.slices).map((one) => (
                <button
                  key={one}
                  type="button"
                  className="chip"
                  onClick={() => setSearch({ tag: one }, { replace: true })}
                >
                  {one}
                </button>
              ))}
          </div>
          <CaseList<CaseView>
            key={tag}
            path={`${pathOf("experiments", name)}/cases`}
            fields={{ tag }}
            isUnderWay={data.status === "running"}
            head={["Case", "Score", "Why"]}
            line={({ caseId, score, trials }) => [
              caseId,
              <Score key="score" n={score} name={`case.score ${caseId}`} />,
              wordOn(trials),
            ]}
            detail={(row) => (
              <>
                <Asked of={row} />
                <Trials of={row.trials} label="Output" />
              </>
            )}
          />
        </>
      )}
    </section>
  );
}

function Figures({ of }: { readonly of: ExperimentView }) {
  const { score, cases, trials, tried, failed, costUsd, judgesUsd, latency, at } = of;
  return (
    <dl className="figures card">
      <div className="wide">
        <dt>Score</dt>
        <dd>{score === null ? "none yet" : <Estimate of={score} name="experiment.score" />}</dd>
        <dd>{score !== null && <Interval of={score} />}</dd>
      </div>
      <div>
        <dt>Cases</dt>
        <dd>
          <Count n={score?.cases ?? 0} name="experiment.cases" />
          <span className="muted">
            {" of "}
            <Count n={cases} name="experiment.cases.all" />
          </span>
        </dd>
      </div>
      <div>
        <dt>Clusters</dt>
        <dd>
          <Count n={score?.clusters ?? 0} name="experiment.clusters" />
        </dd>
      </div>
      <div>
        <dt>Trials that failed</dt>
        <dd>
          <Count n={failed} name="experiment.failed" />
          <span className="muted">
            {" of "}
            <Count n={tried} name="experiment.tried" />
            {", "}
            <Count n={trials} name="experiment.trials" /> a case
          </span>
        </dd>
      </div>
      <div>
        <dt>Cost</dt>
        <dd>
          <Money usd={costUsd} name="experiment.cost" />
          <span className="muted">
            {", of which judges "}
            <Money usd={judgesUsd} name="experiment.judges" />
          </span>
        </dd>
      </div>
      {latency !== null && (
        <div>
          <dt>Half of them took</dt>
          <dd>
            <Duration ms={latency.p50} name="experiment.p50" />
            <span className="muted">
              {", p95 "}
              <Duration ms={latency.p95} name="experiment.p95" />
            </span>
          </dd>
        </div>
      )}
      <div>
        <dt>Begun</dt>
        <dd>
          <Ago at={at} />
        </dd>
      </div>
    </dl>
  );
}

function Parts({ of: { slices, scorerScores } }: { readonly of: ExperimentView }) {
  const [tags, scorers] = [Object.entries(slices), Object.entries(scorerScores)];
  return (
    <>
      {scorers.length > 1 && (
        <Estimates title="By scorer" what="Scorer" rows={scorers} figure="experiment.scorer" />
      )}
      {tags.length > 0 && <Estimates title="By tag" what="Tag" rows={tags} figure="experiment.slice" />}
    </>
  );
}

function Failures({ of: { failures } }: { readonly of: ExperimentView }) {
  if (failures.length === 0) return null;
  return (
    <section className="card">
      <h2>Failures that are alike</h2>
      <ul className="failure-groups">
        {failures.map(({ what, trials, caseIds, example }) => (
          <li key={what}>
            <p>
              <strong>{what}</strong>, <Count n={trials} name={`experiment.failures ${what}`} />{" "}
              {trials === 1 ? "trial" : "trials"}: <span className="mono small">{caseIds.join(", ")}</span>
            </p>
            <p className="small muted said">{example}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Leads to this experiment beside another one on the same dataset. */
function Others({ of: { name, dataset } }: { readonly of: ExperimentView }) {
  const [, go] = useLocation();
  const { data } = useExperiments({ dataset: dataset.name });
  const others = (data?.pages.flatMap(({ experiments }) => experiments) ?? []).filter(
    (one) => one.name !== name,
  );
  if (others.length === 0) return null;
  return (
    <label className="compare-with">
      <span className="muted">Compare with</span>
      <select
        className="input"
        value=""
        onChange={({ target }) =>
          go(`/experiments/${encodeURIComponent(name)}/with/${encodeURIComponent(target.value)}`)
        }
      >
        <option value="" disabled>
          an earlier one
        </option>
        {others.map((one) => (
          <option key={one.name} value={one.name}>
            {one.name}
          </option>
        ))}
      </select>
    </label>
  );
}

import { useSearchParams } from "wouter";
import type { ComparisonView, ExperimentLine, PairView } from "../../../src/evals/views/view.ts";
import { Count, Money } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { type Lines, SideBySide } from "../parts/side-by-side.tsx";
import { Status } from "../parts/status.tsx";
import { Trail } from "../parts/trail.tsx";
import { useTitle } from "../shell/title.ts";
import { pathOf } from "../wire/http.ts";
import { CaseList } from "./case-list.tsx";
import { Estimates } from "./estimates.tsx";
import { useComparison } from "./experiments.ts";
import { Estimate, Score, signed } from "./score.tsx";
import { Asked, Trials, wordOn } from "./trials.tsx";
import "../styles/compare.css";
import "../styles/stats.css";
import "../styles/experiments.css";

const verdicts = {
  pass: ["teal", "It is not worse"],
  regress: ["red", "It is worse"],
  inconclusive: ["amber", "The cases do not tell whether it is worse"],
} as const;

/** An experiment beside an earlier one: what has changed, and case by case how. */
export default function ExperimentComparePage({
  name,
  base,
}: {
  readonly name: string;
  readonly base: string;
}) {
  useTitle(`${name} and ${base}`);
  const [search, setSearch] = useSearchParams();
  const isAll = search.get("cases") === "all";
  const { data, error, isPending } = useComparison(name, base);
  return (
    <section className="page">
      <div className="page-head">
        <Trail steps={[{ name: "Experiments", href: "/experiments" }]} />
        <h1 className="mono">
          {name} after {base}
        </h1>
        <p className="muted" role="status">
          {isPending && "Pairing cases…"}
        </p>
      </div>
      {error !== null && <LetterBox error={error} />}
      {data !== undefined && (
        <>
          <Both of={data} />
          <Outcome of={data} />
          <div className="page-head">
            <h2>Case by case, the worse first</h2>
            <fieldset className="chips">
              <legend className="unseen">Which cases</legend>
              {[false, true].map((all) => (
                <button
                  key={String(all)}
                  type="button"
                  className={all === isAll ? "chip on" : "chip"}
                  aria-pressed={all === isAll}
                  onClick={() => setSearch(all ? { cases: "all" } : {}, { replace: true })}
                >
                  {all ? "all" : "changed"}
                </button>
              ))}
            </fieldset>
          </div>
          <CaseList<PairView>
            key={String(isAll)}
            path={`${pathOf("experiments", name)}/comparison/cases`}
            fields={{ with: base, changed: isAll ? undefined : "true" }}
            head={["Case", "Before and after", "Why"]}
            line={({ caseId, before, after }) => [
              caseId,
              <span key="scores">
                <Score n={before.score} name={`pair.before ${caseId}`} /> →{" "}
                <Score n={after.score} name={`pair.after ${caseId}`} />
              </span>,
              wordOn(after.trials),
            ]}
            detail={(row) => (
              <>
                <Asked of={row} />
                <div className="pair">
                  <div>
                    <p className="muted">Before: {base}</p>
                    <Trials of={row.before.trials} label="Output before" />
                  </div>
                  <div>
                    <p className="muted">After: {name}</p>
                    <Trials of={row.after.trials} label="Output after" />
                  </div>
                </div>
              </>
            )}
          />
        </>
      )}
    </section>
  );
}

function Both({ of: { before, after } }: { readonly of: ComparisonView }) {
  const lines: Lines<ExperimentLine> = [
    ["Status", ({ status }) => <Status status={status} />],
    [
      "Score",
      ({ name, score }) =>
        score === null ? "none yet" : <Estimate of={score} name={`compare.score ${name}`} />,
    ],
    ["Version", ({ pipeline, fingerprint }) => <span className="mono">{`${pipeline} ${fingerprint}`}</span>],
    ["Dataset", ({ dataset }) => dataset.name],
    ["Cost", ({ name, costUsd }) => <Money usd={costUsd} name={`compare.cost ${name}`} />],
  ];
  return (
    <SideBySide
      sides={[before, after]}
      linkOf={({ name }) => ({ name, href: `/experiments/${encodeURIComponent(name)}` })}
      lines={lines}
    />
  );
}

function Outcome({ of }: { readonly of: ComparisonView }) {
  const { difference, slices, better, worse, unpaired, casesNeeded, margin, verdict } = of;
  const [tone, words] = verdicts[verdict];
  const rows = [["all", difference] as const, ...Object.entries(slices)];
  const reach = Math.max(0.1, ...rows.flatMap(([, { low, high }]) => [Math.abs(low), Math.abs(high)]));
  return (
    <>
      <p>
        <span className={`mark ${tone}`} data-verdict={verdict}>
          {words}
        </span>{" "}
        by more than <Score n={margin} name="compare.margin" asText={String} />.{" "}
        <Count n={better} name="compare.better" /> cases do better, <Count n={worse} name="compare.worse" />{" "}
        worse
        {unpaired > 0 && (
          <>
            ; <Count n={unpaired} name="compare.unpaired" /> are only in one
          </>
        )}
        .
        {casesNeeded !== null && casesNeeded > difference.cases && (
          <>
            {" "}
            <Count n={casesNeeded} name="compare.needed" /> cases would tell a difference of that size.
          </>
        )}
      </p>
      <Estimates
        title="Difference, after less before"
        what="Tag"
        rows={rows}
        figure="compare.difference"
        from={-reach}
        to={reach}
        mark={0}
        asText={signed}
        more={{
          head: "p",
          of: (name) => {
            const slice = slices[name];
            const p = slice === undefined ? difference.p : slice.holm;
            return (
              <Score
                n={p}
                name={`compare.p ${name}`}
                asText={(n) => (n < 0.001 ? "< 0.001" : n.toFixed(3))}
              />
            );
          },
        }}
      />
    </>
  );
}

import type { VersionDiff } from "../../../src/client/types.ts";
import { Changes } from "../compare/value-changes.tsx";
import { Count, Duration, Money } from "../parts/figures.tsx";
import { PathText } from "../parts/path-text.tsx";
import { countOf } from "../words/time.ts";

/** Two versions place by place, and how the runs of each fared. */
export function Differences({ of }: { readonly of: VersionDiff }) {
  const { a, b, same, places, figures } = of;
  return (
    <>
      <p className="muted">
        From <span className="mono">{a.fingerprint}</span> to <span className="mono">{b.fingerprint}</span>:{" "}
        {countOf(places.length, "place")} {places.length === 1 ? "differs" : "differ"}, {same} are the same.
      </p>
      {places.map(({ path, kind, only, facts, settings }) => (
        <section key={path} className="card" data-differs={path}>
          <h2 className="mono">
            <PathText path={path} /> <span className="muted small">{kind}</span>
          </h2>
          {only !== undefined && (
            <p className="muted">Only in {only === "a" ? a.fingerprint : b.fingerprint}.</p>
          )}
          {facts.length > 0 && <Changes of={facts} />}
          {settings.length > 0 && (
            <>
              <h3>Settings, which make no other version</h3>
              <Changes of={settings} />
            </>
          )}
        </section>
      ))}
      <section className="card">
        <h2>How their runs fared</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys */}
        <div className="scrolled" tabIndex={0} role="group" aria-label="How their runs fared">
          <table className="figures-table">
            <thead>
              <tr>
                <th scope="col">Step</th>
                <th scope="col">Version</th>
                <th scope="col">Done</th>
                <th scope="col">Failed attempts</th>
                <th scope="col">p50</th>
                <th scope="col">p95</th>
                <th scope="col">Cost</th>
              </tr>
            </thead>
            <tbody>
              {figures.flatMap(({ step, ...both }) =>
                (["a", "b"] as const).map((side) => (
                  <Fared key={`${step} ${side}`} step={step} version={of[side].fingerprint} of={both[side]} />
                )),
              )}
            </tbody>
          </table>
        </div>
      </section>
    </>
  );
}

function Fared({
  step,
  version,
  of,
}: {
  readonly step: string;
  readonly version: string;
  readonly of: VersionDiff["figures"][number]["a"];
}) {
  const name = `${version} ${step}`;
  return (
    <tr>
      <th scope="row" className="mono">
        <PathText path={step} />
      </th>
      <td className="mono">{version}</td>
      {of === null ? (
        <td colSpan={5} className="muted">
          no run did it
        </td>
      ) : (
        <>
          <td>
            <Count n={of.completed} name={`versions.completed ${name}`} />
          </td>
          <td>
            <Count n={of.failed} name={`versions.failed ${name}`} />
          </td>
          <td>
            {of.durationMs.p50 !== null && <Duration ms={of.durationMs.p50} name={`versions.p50 ${name}`} />}
          </td>
          <td>
            {of.durationMs.p95 !== null && <Duration ms={of.durationMs.p95} name={`versions.p95 ${name}`} />}
          </td>
          <td>
            <Money usd={of.spent.costUsd} name={`versions.cost ${name}`} />
          </td>
        </>
      )}
    </tr>
  );
}

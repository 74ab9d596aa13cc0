import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "wouter";
import type { VersionDiff, VersionsView } from "../../../src/client/types.ts";
import { Empty } from "../parts/empty.tsx";
import { Ago, Count } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { Trail } from "../parts/trail.tsx";
import { useTitle } from "../shell/title.ts";
import { get, queryOf } from "../wire/http.ts";
import { Differences } from "./differences.tsx";
import { releaseText } from "./release.ts";
import "../styles/stats.css";
import "../styles/compare.css";

/** The versions of pipelines that runs are of, and what differs between two of them. */
export default function VersionsPage() {
  useTitle("Versions");
  const [search, setSearch] = useSearchParams();
  const pipeline = search.get("pipeline") ?? undefined;
  const chosen = search.getAll("of");
  const { data, error } = useQuery({
    queryKey: ["versions", pipeline],
    queryFn: ({ signal }) => get<VersionsView>(`/versions${queryOf({ pipeline, newest: 10_000 })}`, signal),
  });
  const [b, a] = chosen; // the newer one is listed, and mostly chosen, first
  const isReady = a !== undefined && b !== undefined;
  const diff = useQuery({
    queryKey: ["versions", a, b],
    queryFn: ({ signal }) => get<VersionDiff>(`/versions/diff${queryOf({ a, b })}`, signal),
    enabled: isReady,
  });
  const toggle = (fingerprint: string): void => {
    const others = chosen.filter((one) => one !== fingerprint);
    const next = others.length < chosen.length ? others : [...chosen, fingerprint].slice(-2);
    const ordered = (data?.versions ?? []).flatMap((one) =>
      next.includes(one.fingerprint) ? [one.fingerprint] : [],
    );
    const query = new URLSearchParams(ordered.map((one) => ["of", one]));
    if (pipeline !== undefined) query.set("pipeline", pipeline);
    setSearch(query, { replace: true });
  };
  return (
    <section className="page">
      <div className="page-head">
        <Trail steps={[{ name: "Pipelines", href: "/pipelines" }]} />
        <h1>{pipeline === undefined ? "Versions" : `Versions of ${pipeline}`}</h1>
        <p className="muted">
          {data !== undefined && !data.all && "Of the newest 10,000 runs. "}
          Choose two to compare them.
        </p>
      </div>
      {error !== null && <LetterBox error={error} />}
      {data?.versions.length === 0 && (
        <Empty title="No versions yet" text="A version is there once a run is of it." />
      )}
      {data !== undefined && data.versions.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys
        <div className="card scrolled" tabIndex={0} role="group" aria-label="Versions">
          <table className="figures-table">
            <thead>
              <tr>
                <th scope="col">Version</th>
                <th scope="col">Runs</th>
                <th scope="col">Not ended</th>
                <th scope="col">Last run</th>
                <th scope="col">Package and commit</th>
              </tr>
            </thead>
            <tbody>
              {data.versions.map(({ pipeline: name, fingerprint, runs, unfinished, lastAt, releases }) => (
                <tr key={`${name} ${fingerprint}`} data-version={fingerprint}>
                  <th scope="row">
                    <label className="check">
                      <input
                        type="checkbox"
                        checked={chosen.includes(fingerprint)}
                        onChange={() => toggle(fingerprint)}
                      />
                      <span>
                        {name} <span className="mono">{fingerprint}</span>
                      </span>
                    </label>
                  </th>
                  <td>
                    <Count n={runs} name={`versions.runs ${fingerprint}`} />
                  </td>
                  <td>
                    <Count n={unfinished} name={`versions.unfinished ${fingerprint}`} />
                  </td>
                  <td>
                    <Ago at={lastAt} />
                  </td>
                  <td className="mono small">{releases.map(releaseText).join(", ")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {diff.error !== null && isReady && <LetterBox error={diff.error} />}
      {isReady && diff.data !== undefined && <Differences of={diff.data} />}
    </section>
  );
}

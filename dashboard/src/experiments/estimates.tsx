import type { ReactNode } from "react";
import type { EstimateView } from "../../../src/evals/views/view.ts";
import { Count } from "../parts/figures.tsx";
import { Estimate, Interval } from "./score.tsx";

/** Scores or differences by name, each with its interval drawn on one scale for all. */
export function Estimates({
  title,
  what,
  rows,
  figure,
  from,
  to,
  mark,
  asText,
  more,
}: {
  readonly title: string;
  /** What the names are of. */
  readonly what: string;
  readonly rows: readonly (readonly [name: string, of: EstimateView])[];
  /** What the numbers are called: `experiment.slice`. */
  readonly figure: string;
  readonly from?: number;
  readonly to?: number;
  readonly mark?: number;
  readonly asText?: (n: number) => string;
  /** A last column. */
  readonly more?: { readonly head: string; readonly of: (name: string) => ReactNode };
}) {
  const scale = {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(mark === undefined ? {} : { mark }),
  };
  return (
    <section className="card">
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys */}
      <div className="scrolled" tabIndex={0} role="group" aria-label={title}>
        <table className="figures-table estimates">
          <thead>
            <tr>
              <th scope="col">{what}</th>
              <th scope="col">Mean and 95 % interval</th>
              <td />
              <th scope="col">Cases</th>
              <th scope="col">Clusters</th>
              {more !== undefined && <th scope="col">{more.head}</th>}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, of]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <Estimate
                    of={of}
                    name={`${figure} ${name}`}
                    {...(asText === undefined ? {} : { asText })}
                  />
                </td>
                <td className="drawn">
                  <Interval of={of} {...scale} />
                </td>
                <td>
                  <Count n={of.cases} name={`${figure} ${name}.cases`} />
                </td>
                <td>
                  <Count n={of.clusters} name={`${figure} ${name}.clusters`} />
                </td>
                {more !== undefined && <td>{more.of(name)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

import type { ReactNode } from "react";
import { Link } from "wouter";
import type { RunBrief } from "../../../src/lens/diff.ts";
import { Count, Duration, Money } from "../parts/figures.tsx";
import { Status } from "../parts/status.tsx";

/** The two runs at a glance. */
export function Beside({ a, b }: { readonly a: RunBrief; readonly b: RunBrief }) {
  const rows: readonly (readonly [name: string, of: (run: RunBrief) => ReactNode])[] = [
    ["Status", ({ status }) => <Status status={status} />],
    ["Pipeline", ({ pipeline }) => pipeline],
    ["Version", ({ fingerprint }) => <span className="mono">{fingerprint}</span>],
    ["Cost", ({ runId, spent }) => <Money usd={spent.costUsd} name={`compare.cost ${runId}`} />],
    ["Model calls", ({ runId, spent }) => <Count n={spent.calls} name={`compare.calls ${runId}`} />],
    [
      "Tokens in",
      ({ runId, spent }) => <Count n={spent.inputTokens} name={`compare.inputTokens ${runId}`} />,
    ],
    [
      "Tokens out",
      ({ runId, spent }) => <Count n={spent.outputTokens} name={`compare.outputTokens ${runId}`} />,
    ],
    ["Lasted", ({ durationMs }) => <Duration ms={durationMs} />],
  ];
  return (
    <table className="beside card">
      <thead>
        <tr>
          <td />
          {[a, b].map(({ runId }, i) => (
            <th key={i === 0 ? "a" : "b"} scope="col">
              <Link href={`/runs/${encodeURIComponent(runId)}`} className="text-link mono">
                {runId}
              </Link>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, of]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{of(a)}</td>
            <td>{of(b)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

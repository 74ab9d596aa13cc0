import type { RunBrief } from "../../../src/lens/diff.ts";
import { Count, Duration, Money } from "../parts/figures.tsx";
import { type Lines, SideBySide } from "../parts/side-by-side.tsx";
import { Status } from "../parts/status.tsx";

/** The two runs at a glance. */
export function Beside({ a, b }: { readonly a: RunBrief; readonly b: RunBrief }) {
  const lines: Lines<RunBrief> = [
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
    ["Lasted", ({ runId, durationMs }) => <Duration ms={durationMs} name={`compare.duration ${runId}`} />],
  ];
  return (
    <SideBySide
      sides={[a, b]}
      linkOf={({ runId }) => ({ name: runId, href: `/runs/${encodeURIComponent(runId)}` })}
      lines={lines}
    />
  );
}

/** Scores on screen: a mean, and the interval it is known to lie in. */
import type { EstimateView } from "../../../src/evals/views/view.ts";

const text = (score: number): string => score.toFixed(3);
export const signed = (score: number): string => `${score < 0 ? "−" : "+"}${text(Math.abs(score))}`;

export function Score({
  n,
  name,
  asText = text,
}: {
  readonly n: number;
  readonly name: string;
  readonly asText?: (n: number) => string;
}) {
  return (
    <data className="number" value={n} title={String(n)} data-figure={name}>
      {asText(n)}
    </data>
  );
}

/** `0.812 (0.770 to 0.850)`. */
export function Estimate({
  of: { mean, low, high },
  name,
  asText = text,
}: {
  readonly of: Pick<EstimateView, "mean" | "low" | "high">;
  readonly name: string;
  readonly asText?: (n: number) => string;
}) {
  return (
    <>
      <strong>
        <Score n={mean} name={`${name}.mean`} asText={asText} />
      </strong>{" "}
      <span className="muted small">
        (<Score n={low} name={`${name}.low`} asText={asText} /> to{" "}
        <Score n={high} name={`${name}.high`} asText={asText} />)
      </span>
    </>
  );
}

/** Where an interval lies between two ends; a line stands at `mark`. It is drawn beside its numbers. */
export function Interval({
  of: { mean, low, high },
  from = 0,
  to = 1,
  mark,
}: {
  readonly of: Pick<EstimateView, "mean" | "low" | "high">;
  readonly from?: number;
  readonly to?: number;
  readonly mark?: number;
}) {
  const at = (score: number): string => `${((score - from) / (to - from)) * 100}%`;
  return (
    <span className="interval" aria-hidden="true">
      {mark !== undefined && <span className="interval-mark" style={{ left: at(mark) }} />}
      <span className="interval-range" style={{ left: at(low), right: `calc(100% - ${at(high)})` }} />
      <span className="interval-mean" style={{ left: at(mean) }} />
    </span>
  );
}

import { decimalOf, partOf, picoOf, sumUsd } from "../words/money.ts";
import { Money } from "./figures.tsx";
import "../styles/gauge.css";

/** What a cost limit has been used for: spent for good, held for calls under way, and what is left. */
export function Gauge({
  limitUsd,
  settledUsd,
  heldUsd,
  name,
}: {
  readonly limitUsd: string | undefined;
  readonly settledUsd: string;
  readonly heldUsd: string;
  /** What its numbers are called: `run`, so that one of them is `run.held`. */
  readonly name: string;
}) {
  const used = (
    <>
      <Money usd={settledUsd} name={`${name}.settled`} />
      {limitUsd === undefined ? (
        <span className="muted">spent, no cost limit</span>
      ) : (
        <>
          <span className="muted">of</span> <Money usd={limitUsd} name={`${name}.limit`} />
        </>
      )}
      {heldUsd !== "0" && (
        <span className="muted">
          {"+ "}
          <Money usd={heldUsd} name={`${name}.held`} /> held
        </span>
      )}
    </>
  );
  if (limitUsd === undefined) return <p className="gauge-text">{used}</p>;
  const usedUsd = sumUsd([settledUsd, heldUsd]);
  const isTight = partOf(usedUsd, limitUsd) >= tight;
  return (
    <div>
      <p className="gauge-text">
        {used}
        <span className="muted gauge-left">
          <Money usd={decimalOf(picoOf(limitUsd) - picoOf(usedUsd))} name={`${name}.left`} /> left
        </span>
      </p>
      <div className="gauge-bar" aria-hidden="true">
        <span
          className={isTight ? "gauge-spent tight" : "gauge-spent"}
          style={{ width: `${partOf(settledUsd, limitUsd) * 100}%` }}
        />
        <span className="gauge-held" style={{ width: `${partOf(heldUsd, limitUsd) * 100}%` }} />
      </div>
    </div>
  );
}

/** From this part of its limit on, a budget looks as if it should be looked at. */
const tight = 0.8;

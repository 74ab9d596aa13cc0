import type { SpentView } from "../../../src/lens/readable.ts";
import { Money } from "../parts/figures.tsx";
import { decimalOf, partOf, picoOf } from "../words/money.ts";

/** What a cost limit has been used for: spent for good, held for calls under way, and what is left. */
export function Gauge({
  limitUsd,
  spent,
  held,
  name,
}: {
  readonly limitUsd: string | undefined;
  /** Held ones included. */
  readonly spent: SpentView;
  readonly held: SpentView;
  readonly name: string;
}) {
  const settled = decimalOf(picoOf(spent.costUsd) - picoOf(held.costUsd));
  if (limitUsd === undefined)
    return (
      <p className="gauge-text">
        <Money usd={settled} name={`${name}.settled`} /> <span className="muted">spent, no cost limit</span>
        <Held usd={held.costUsd} name={name} />
      </p>
    );
  const left = decimalOf(picoOf(limitUsd) - picoOf(spent.costUsd));
  const [spentPart, heldPart] = [partOf(settled, limitUsd), partOf(held.costUsd, limitUsd)];
  const isTight = partOf(spent.costUsd, limitUsd) >= 0.8;
  return (
    <div className="gauge">
      <p className="gauge-text">
        <Money usd={settled} name={`${name}.settled`} /> <span className="muted">of</span>{" "}
        <Money usd={limitUsd} name={`${name}.limit`} />
        <Held usd={held.costUsd} name={name} />
        <span className="muted gauge-left">
          <Money usd={left} name={`${name}.left`} /> left
        </span>
      </p>
      <div className="gauge-bar" aria-hidden="true">
        <span
          className={isTight ? "gauge-spent tight" : "gauge-spent"}
          style={{ width: `${spentPart * 100}%` }}
        />
        <span className="gauge-held" style={{ width: `${heldPart * 100}%` }} />
      </div>
    </div>
  );
}

function Held({ usd, name }: { readonly usd: string; readonly name: string }) {
  if (usd === "0") return null;
  return (
    <span className="muted">
      {" + "}
      <Money usd={usd} name={`${name}.held`} /> held
    </span>
  );
}

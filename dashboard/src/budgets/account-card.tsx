import { Link } from "wouter";
import type { AccountView, HoldView } from "../../../src/lens/accounts.ts";
import { Ago, Count, Money } from "../parts/figures.tsx";
import { Gauge } from "../parts/gauge.tsx";

/** One account: what it may spend, has spent, and holds for which calls. */
export function AccountCard({ account }: { readonly account: AccountView }) {
  const { scope, limits, posted, pending, holds, waiting, alerts } = account;
  return (
    <article className="card">
      <h2 className="mono">{scope}</h2>
      <Gauge
        limitUsd={limits.costUsd}
        settledUsd={posted.costUsd}
        heldUsd={pending.costUsd}
        name={`budget ${scope}`}
      />
      <p className="small muted">
        <Count n={posted.calls} name={`budget.calls ${scope}`} /> calls,{" "}
        <Count n={posted.inputTokens + posted.outputTokens} name={`budget.tokens ${scope}`} /> tokens settled.
        {waiting > 0 && (
          <>
            {" "}
            <Count n={waiting} name={`budget.waiting ${scope}`} /> wait for their turn.
          </>
        )}
      </p>
      {alerts.map(({ percent, runId }) => (
        <p key={percent} className="small">
          <span className="mark amber">{percent} %</span> reached by{" "}
          <Link href={`/runs/${encodeURIComponent(runId)}`} className="text-link mono">
            {runId}
          </Link>
        </p>
      ))}
      {holds.length > 0 && <Holds of={holds} />}
    </article>
  );
}

/** More than these are counted, not listed. */
const mostListed = 20;

function Holds({ of }: { readonly of: readonly HoldView[] }) {
  return (
    <section>
      <h3>Held</h3>
      <ul className="holds">
        {of.slice(0, mostListed).map(({ runId, path, model, amount, heldAt }) => (
          <li key={runId + path + heldAt}>
            <Money usd={amount.costUsd} name={`hold ${runId} ${path}`} /> for{" "}
            <span className="mono">{model}</span>, run{" "}
            <Link
              href={`/runs/${encodeURIComponent(runId)}?at=${encodeURIComponent(path)}`}
              className="text-link mono"
            >
              {runId}
            </Link>
            , <Ago at={heldAt} />
          </li>
        ))}
      </ul>
      {of.length > mostListed && <p className="muted small">and {of.length - mostListed} more</p>}
    </section>
  );
}

import { useQuery } from "@tanstack/react-query";
import type { AccountView } from "../../../src/lens/accounts.ts";
import { Empty } from "../parts/empty.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useTitle } from "../shell/title.ts";
import { get } from "../wire/http.ts";
import { countOf } from "../words/time.ts";
import "../styles/budgets.css";
import { AccountCard } from "./account-card.tsx";

/** How often the accounts are asked for: money is held and settled by many runs, of which no line tells. */
const askAgainMs = 2_000;

/** The budgets that runs share. */
export default function BudgetsPage() {
  useTitle("Budgets");
  const { data, error } = useQuery({
    queryKey: ["budgets"],
    queryFn: ({ signal }) => get<{ readonly budgets: readonly AccountView[] }>("/budgets", signal),
    refetchInterval: askAgainMs,
  });
  return (
    <section className="page">
      <div className="page-head">
        <h1>Budgets</h1>
        <p className="muted">{data !== undefined && countOf(data.budgets.length, "shared budget")}</p>
      </div>
      {error !== null && <LetterBox error={error} />}
      {data?.budgets.length === 0 && (
        <Empty
          title="No budget is shared"
          text="Runs of one tenant, team or day can be charged to one account:"
        >
          <pre className="command">flujo run pipeline.ts --scope tenant:acme</pre>
          <pre className="command">flujo budget set tenant:acme --cost '$20'</pre>
        </Empty>
      )}
      <div className="accounts">
        {data?.budgets.map((account) => (
          <AccountCard key={account.scope} account={account} />
        ))}
      </div>
    </section>
  );
}

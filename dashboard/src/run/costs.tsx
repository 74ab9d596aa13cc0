import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { ModelCharge } from "../../../src/lens/charges.ts";
import type { RunView } from "../../../src/lens/show.ts";
import { Bars } from "../parts/bars.tsx";
import { Count, Money } from "../parts/figures.tsx";
import { get, pathOf } from "../wire/http.ts";
import { decimalOf, picoOf, sumUsd } from "../words/money.ts";
import type { GraphAnswer } from "./wire.ts";

/** What a run has cost, by place and by model. Either way it is the same sum: what the ledger says. */
export function Costs({ run, news }: { readonly run: RunView; readonly news: number }) {
  const { data, refetch } = useQuery({
    queryKey: ["graph", run.runId],
    queryFn: ({ signal }) => get<GraphAnswer>(`${pathOf("runs", run.runId)}/graph`, signal),
  });
  useEffect(() => {
    if (news > 0) refetch();
  }, [news, refetch]);
  const paid = data?.places.filter(({ costUsd }) => costUsd !== "0") ?? [];
  const models = run.charges;
  const byModel = models.map(({ model, spent }) => ({ name: model, usd: spent.costUsd }));
  const others = decimalOf(picoOf(run.spent.costUsd) - picoOf(sumUsd(byModel.map(({ usd }) => usd))));
  const bought = others === "0" ? byModel : [...byModel, { name: "tools and steps", usd: others }];
  if (run.spent.costUsd === "0" && models.length === 0)
    return (
      <p className="muted">
        Nothing was spent: no model was called, and no tool or step has said it costs something.
      </p>
    );
  return (
    <div className="costs">
      <section className="card">
        <h2>By place</h2>
        <Bars
          caption="What each place of the pipeline cost, what is held for calls under way included"
          head={["Place", "Cost"]}
          rows={paid.map(({ path, costUsd }) => ({ name: path, usd: costUsd }))}
          whole={run.spent.costUsd}
          figure="costs.place"
        />
        <p className="sum">
          Together <Money usd={sumUsd(paid.map(({ costUsd }) => costUsd))} name="costs.places.sum" />
        </p>
      </section>
      <section className="card">
        <h2>By what was bought</h2>
        <Bars
          caption="What each model cost, and all else that was paid for"
          head={["Model or other", "Cost"]}
          rows={bought}
          whole={run.spent.costUsd}
          figure="costs.model"
        />
        <p className="sum">
          Together <Money usd={sumUsd(bought.map(({ usd }) => usd))} name="costs.models.sum" />
        </p>
        <ul className="prices">
          {models.map((charge) => (
            <Price key={charge.model} charge={charge} />
          ))}
        </ul>
      </section>
    </div>
  );
}

function Price({ charge }: { readonly charge: ModelCharge }) {
  const { model, spent, price } = charge;
  return (
    <li className="small">
      <span className="mono">{model}</span>: <Count n={spent.calls} name={`costs.calls ${model}`} /> calls,{" "}
      <Count n={spent.inputTokens} name={`costs.inputTokens ${model}`} /> tokens in,{" "}
      <Count n={spent.outputTokens} name={`costs.outputTokens ${model}`} /> out.{" "}
      <span className="muted">
        {price === null
          ? "Nobody knew its price: it counts as $0."
          : `At most $${price.inputUsdPerMillion} in and $${price.outputUsdPerMillion} out a million tokens, by ${price.source}${price.date === null ? "" : ` of ${price.date}`}.`}
      </span>
    </li>
  );
}

import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "wouter";
import type { RunDiff } from "../../../src/lens/diff.ts";
import { Empty } from "../parts/empty.tsx";
import { Count } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useTitle } from "../shell/title.ts";
import { get, pathOf, queryOf } from "../wire/http.ts";
import "../styles/compare.css";
import { Beside } from "./beside.tsx";
import { OperationCard } from "./operation-card.tsx";
import { RunChoice } from "./run-choice.tsx";
import { Changes } from "./value-changes.tsx";

/** Two runs beside one another: what differs, step by step. */
export default function ComparePage() {
  useTitle("Compare");
  const [search, setSearch] = useSearchParams();
  const [a, b] = [search.get("a") ?? "", search.get("b") ?? ""];
  const isReady = a !== "" && b !== "";
  const { data, error, isFetching } = useQuery({
    queryKey: ["diff", a, b],
    queryFn: ({ signal }) => get<RunDiff>(`${pathOf("runs", a)}/diff${queryOf({ with: b })}`, signal),
    enabled: isReady,
  });
  const choose = (side: "a" | "b") => (runId: string) =>
    setSearch({ a, b, [side]: runId }, { replace: true });
  return (
    <section className="page">
      <div className="page-head">
        <h1>Compare</h1>
        <p className="muted" role="status">
          {isFetching && "Reading both…"}
        </p>
      </div>
      <div className="pair">
        <RunChoice key={`a ${a}`} label="A run" chosen={a} onChoose={choose("a")} />
        <RunChoice key={`b ${b}`} label="and another" chosen={b} onChoose={choose("b")} />
      </div>
      {isReady && error !== null && <LetterBox error={error} />}
      {!isReady && (
        <Empty
          title="Two runs are compared"
          text="Name both by their ids. What is the same in both is counted; what differs in inputs, outputs, conversations, errors and cost is shown step by step."
        />
      )}
      {isReady && data !== undefined && <Differences of={data} />}
    </section>
  );
}

function Differences({ of }: { readonly of: RunDiff }) {
  const { a, b, input, output, same, operations } = of;
  return (
    <>
      <Beside a={a} b={b} />
      <p className="muted">
        <Count n={operations.length} name="compare.differ" />{" "}
        {operations.length === 1 ? "operation differs" : "operations differ"},{" "}
        <Count n={same} name="compare.same" /> are the same in both; times aside.
      </p>
      {input.length > 0 && (
        <section className="card">
          <h2>Input of the run</h2>
          <Changes of={input} />
        </section>
      )}
      {output.length > 0 && (
        <section className="card">
          <h2>Output of the run</h2>
          <Changes of={output} />
        </section>
      )}
      {operations.map((operation) => (
        <OperationCard key={operation.path} of={operation} a={a.runId} b={b.runId} />
      ))}
    </>
  );
}

import { Link } from "wouter";
import { Empty } from "../parts/empty.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useTitle } from "../shell/title.ts";
import { countOf } from "../words/time.ts";
import "../styles/pipelines.css";
import { usePipelines } from "./pipelines.ts";

/** What can be started here. */
export default function PipelinesPage() {
  useTitle("Pipelines");
  const { data, error } = usePipelines();
  return (
    <section className="page">
      <div className="page-head">
        <h1>Pipelines</h1>
        <p className="muted">{data !== undefined && countOf(data.pipelines.length, "pipeline")}</p>
        <div className="end">
          <Link href="/versions" className="button">
            Versions
          </Link>
        </div>
      </div>
      {error !== null && <LetterBox error={error} />}
      {data?.pipelines.length === 0 && (
        <Empty
          title="No pipeline is served here"
          text="This server only looks at a store. To start runs, serve a folder of pipelines:"
        >
          <pre className="command">flujo up</pre>
        </Empty>
      )}
      <ul className="pipelines">
        {data?.pipelines.map(({ name, fingerprint, budget }) => (
          <li key={name} className="card">
            <h2>
              <Link href={`/pipelines/${encodeURIComponent(name)}`} className="cover">
                {name}
              </Link>
            </h2>
            <p className="muted small">
              version <span className="mono">{fingerprint}</span>
              {budget?.costUsd !== undefined && `, at most $${budget.costUsd} a run`}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

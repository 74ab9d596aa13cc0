import { Link } from "wouter";
import type { Both, OperationDiff } from "../../../src/lens/diff.ts";
import { Count, Money } from "../parts/figures.tsx";
import { PathText } from "../parts/path-text.tsx";
import { Changes, Lines } from "./value-changes.tsx";

/** One operation that differs. */
export function OperationCard({
  of,
  a,
  b,
}: {
  readonly of: OperationDiff;
  readonly a: string;
  readonly b: string;
}) {
  const { path, kind, only, status, attempts, model, error, costUsd, input, output, messages } = of;
  const run = only === "b" ? b : a;
  return (
    <article className="card" data-differs={path}>
      <h2>
        <Link
          href={`/runs/${encodeURIComponent(run)}?at=${encodeURIComponent(path)}`}
          className="text-link mono"
        >
          <PathText path={path} />
        </Link>{" "}
        <span className="muted small">{kind}</span>
      </h2>
      {only !== undefined && (
        <p>
          Only in <span className="mono">{run}</span>.
        </p>
      )}
      <ul className="small">
        <Was name="Status" of={status} />
        {attempts !== undefined && (
          <li>
            Attempts: <Count n={attempts.a} name={`compare.attempts.a ${path}`} /> and{" "}
            <Count n={attempts.b} name={`compare.attempts.b ${path}`} />
          </li>
        )}
        <Was name="Model" of={model} />
        <Was name="Error" of={error} />
        {costUsd !== undefined && (
          <li>
            Cost: <Money usd={costUsd.a} name={`compare.a ${path}`} /> and{" "}
            <Money usd={costUsd.b} name={`compare.b ${path}`} />
          </li>
        )}
      </ul>
      {input !== undefined && (
        <section>
          <h3>Input</h3>
          <Changes of={input} />
        </section>
      )}
      {messages !== undefined && (
        <section>
          <h3>Conversation</h3>
          <Lines of={messages} />
        </section>
      )}
      {output !== undefined && messages === undefined && (
        <section>
          <h3>Output</h3>
          <Changes of={output} />
        </section>
      )}
    </article>
  );
}

function Was({ name, of }: { readonly name: string; readonly of: Both<string | number | null> | undefined }) {
  if (of === undefined) return null;
  return (
    <li>
      {name}: {of.a ?? "none"} and {of.b ?? "none"}
    </li>
  );
}

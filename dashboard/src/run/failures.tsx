import type { FailedAttempt } from "../../../src/lens/operations.ts";
import { Duration } from "../parts/figures.tsx";
import { momentText } from "../words/time.ts";

/** The attempts that failed, each with why. */
export function Failures({ of }: { readonly of: readonly FailedAttempt[] }) {
  if (of.length === 0) return null;
  return (
    <section>
      <h3>Failed attempts</h3>
      <ol className="failures">
        {of.map(({ attempt, at, durationMs, error }) => (
          <li key={at + String(attempt)}>
            <p>
              <span className="mark red">attempt {attempt}</span> {momentText(Date.parse(at))}, after{" "}
              <Duration ms={durationMs} name={`failure.duration ${attempt}`} />
            </p>
            <p className="said">{error.message}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}

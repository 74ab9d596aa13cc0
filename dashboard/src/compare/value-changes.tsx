import type { Json } from "../../../src/core/json.ts";
import type { ValueChange } from "../../../src/lens/compare-values.ts";
import { Value } from "../parts/value.tsx";

/** What differs between two values, field by field. */
export function Changes({ of }: { readonly of: readonly ValueChange[] }) {
  return (
    <ul className="value-changes">
      {of.map(({ op, path, before, after, lines }) => (
        <li key={`${op} ${path}`}>
          {path !== "" && <p className="mono small">{path}</p>}
          {lines === undefined ? <Sides before={before} after={after} at={path} /> : <Lines of={lines} />}
        </li>
      ))}
    </ul>
  );
}

function Sides({
  before,
  after,
  at,
}: {
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  readonly at: string;
}) {
  return (
    <div className="pair">
      <div>{before === undefined ? <Nothing /> : <Value of={before} label={`${at} in the first run`} />}</div>
      <div>{after === undefined ? <Nothing /> : <Value of={after} label={`${at} in the second run`} />}</div>
    </div>
  );
}

const Nothing = () => <p className="muted small">not there</p>;

/** Lines of a text, with `-`, `+` or a space before them. */
export function Lines({ of }: { readonly of: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys
    <pre className="value diff-lines" tabIndex={0} role="group" aria-label="Lines that differ">
      {of.map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have nothing but their place
        <span key={i} className={line.startsWith("-") ? "gone" : line.startsWith("+") ? "new" : undefined}>
          {`${line}\n`}
        </span>
      ))}
    </pre>
  );
}

import type { StateChange } from "../../../src/lens/trace.ts";
import { Value } from "../parts/value.tsx";

/** What a step changed in the run's state. */
export function StateChanges({ of }: { readonly of: readonly StateChange[] }) {
  return (
    <ul className="changes">
      {of.map(({ op, path, value }) => (
        <li key={`${op} ${path}`}>
          <p className="mono">
            <span className={`mark ${op === "remove" ? "red" : "teal"}`}>{op}</span> {path}
          </p>
          {value !== undefined && <Value of={value} label={`New value of ${path}`} />}
        </li>
      ))}
    </ul>
  );
}

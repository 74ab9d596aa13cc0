import type { CallView } from "../../../src/lens/calls.ts";
import { Duration, Money } from "../parts/figures.tsx";

/** Each physical call: what was held for it at most, and what it came to. */
export function Calls({ of }: { readonly of: readonly CallView[] }) {
  return (
    <section>
      <h3>Paid for</h3>
      <ul className="paid">
        {of.map(({ seq, standing, spent, reserved, tookMs, model }) => (
          <li key={seq}>
            <span className={`mark ${tones[standing]}`}>{words[standing]}</span>{" "}
            <Money usd={spent.costUsd} name={`call.spent ${seq}`} />{" "}
            <span className="muted">
              of at most <Money usd={reserved.costUsd} name={`call.reserved ${seq}`} />, {model}
              {tookMs !== null && (
                <>
                  , <Duration ms={tookMs} name={`call.duration ${seq}`} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const tones = { held: "blue", settled: "teal", "in-doubt": "amber", released: "slate" } as const;
const words = { held: "held", settled: "settled", "in-doubt": "in doubt", released: "never made" } as const;

/** Numbers on screen. Each carries its exact value, so that a reader's tool, or a test, can tell what was rounded. */

import { useNow } from "../shell/clock.ts";
import { moneyText } from "../words/money.ts";
import { agoText, countText, durationText, momentText } from "../words/time.ts";

/** @param name what the number is, for whoever reads the page by program: `run.cost`. */
export function Money({ usd, name }: { readonly usd: string; readonly name: string }) {
  return (
    <data className="number" value={usd} title={`$${usd}`} data-figure={name}>
      {moneyText(usd)}
    </data>
  );
}

export function Count({ n, name }: { readonly n: number; readonly name: string }) {
  return (
    <data className="number" value={n} data-figure={name}>
      {countText(n)}
    </data>
  );
}

export function Duration({ ms, name }: { readonly ms: number; readonly name: string }) {
  return (
    <time
      className="number"
      dateTime={`PT${ms / 1_000}S`}
      title={`${countText(Math.round(ms))} ms`}
      data-figure={name}
    >
      {durationText(ms)}
    </time>
  );
}

/** @param at an ISO date. */
export function Ago({ at }: { readonly at: string }) {
  const now = useNow();
  const moment = Date.parse(at);
  return (
    <time className="number" dateTime={at} title={momentText(moment)}>
      {agoText(moment, now)}
    </time>
  );
}

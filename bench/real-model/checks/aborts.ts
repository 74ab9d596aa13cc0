/** A call cut off by a timeout: does the server stop, and what does the call count as? */
import { agent, type Duration, parallel } from "flujo";
import { type Chapter, dollars, of, spread } from "../chapter.ts";
import type { Bought, Lab } from "../lab.ts";
import { picoPrice } from "../prices.ts";
import { bill } from "../server/log.ts";

const cap = 400;
const story = (name: string, after: Duration) =>
  agent(name, {
    ...{ model: "openai:smollm2", system: "You tell long stories.", maxOutputTokens: cap, temperature: 0 },
    prompt: (hero: string) => `Tell a very long story about a ${hero}.`,
  }).timeout(after);

/** `collect`: otherwise the failure of one would let the other, already paid for, come to its end. */
const both = parallel("both", { a: story("a", "1s"), b: story("b", "1s") }, { onFailure: "collect" });

export async function aborts(lab: Lab): Promise<Chapter> {
  const cut: Bought[] = [];
  for (const after of ["0.5s", "1s", "1.5s", "2s"] as const)
    cut.push(...(await lab.run(story("story", after), "fox")).calls);
  // The server does one thing at a time, so the second is cut off while it waits for its turn.
  const two = await lab.run(both, "bear");
  const calls = [...cut, ...two.calls];
  const served = calls.flatMap((call) => call.served ?? []);
  const stopped = served.filter(({ finish }) => finish === "aborted" || finish === "gone");
  const charged = calls.reduce((total, { picoUsd }) => total + picoUsd, 0n);
  const truth = bill(served, picoPrice);
  return {
    title: "Aborts",
    lines: [
      { what: "calls cut off by .timeout(), two of them at once", figure: `${calls.length}` },
      {
        what: "the server stopped",
        figure: of(stopped.length, calls.length),
        kept: stopped.length === calls.length,
      },
      {
        what: "ms from the abort to the last work done for it: least / median / most",
        figure: spread(served.flatMap(({ stoppedWithin }) => stoppedWithin ?? [])),
      },
      {
        what: `tokens made of ${cap}: least / median / most`,
        figure: spread(served.map(({ outputTokens }) => outputTokens)),
      },
      {
        what: "charged in doubt, whole reservation",
        figure: of(calls.filter(({ settled }) => settled === "in doubt").length, calls.length),
        kept: calls.every(({ settled }) => settled === "in doubt"),
      },
      {
        what: "charged, and what the server's log comes to",
        figure: `${dollars(charged)} and ${dollars(truth)}`,
        kept: charged >= truth,
      },
    ],
  };
}

import { describe, expect, it } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { humanInTheLoop, sleep, waitFor } from "../core/pauses.ts";
import { scene } from "../testing/scene.ts";

const hour = 3_600_000;
const terms = { prompt: () => "Well?", timeout: "1h" } as const;

/** Everything that waits, one after the other: 1 h nobody, 1 h the first, an answer of the second, 2 h, an event. */
const made = pipeline(
  "p",
  step("begin", () => "begun")
    .to(humanInTheLoop("nobody", terms).fallback(step("other", () => "else")))
    .to(
      humanInTheLoop("chain", {
        ...terms,
        onTimeout: { escalate: [{ assignees: ["second"] }] },
      }),
    )
    .to(sleep("nap", "2h"))
    .to(waitFor("event"))
    .to("end", (value) => `ended with ${value}`),
);

/** Goes on with the run until it is done, each time in a process of its own; the first dies where it is told to. */
async function lived(commit: number, when: "before" | "after") {
  const on = scene();
  const first = on.cast(made, { crash: { commit, when }, takeOver: false });
  let asked: Promise<unknown> = first.runner.start("x", { runId: "r" }).result();
  for (let n = 0; n < 40; n++) {
    asked.catch(() => {});
    await on.wait(20_000);
    const entries = await on.journal("r");
    const last = entries.at(-1);
    if (last?.type === "run-completed") break;
    const desk = on.cast(made, { takeOver: false }).runner;
    if (last?.type === "run-waiting") {
      const [wait] = last.waits ?? [];
      if (wait?.due !== undefined) await on.wait(Math.max(0, wait.due - on.world.now()));
      else if (wait?.kind === "signal") await on.play(desk.signal("r", "/p/event", "word").catch(() => {}));
      else await on.play(desk.signal("r", "/p/chain", { approved: true }, { by: "second" }).catch(() => {}));
    }
    const next = n % 3 === 2 ? {} : { crash: { commit: 1 + (n % 2), when } };
    asked = on
      .cast(made, { ...next, takeOver: false })
      .runner.start("x", { runId: "r" })
      .result();
  }
  return on.journal("r");
}

describe("all that waits, killed at every commit boundary", () => {
  for (const when of ["before", "after"] as const) {
    it(`${when} each of its commits comes to the same end, and asks everybody once`, async () => {
      for (let commit = 1; commit <= 8; commit++) {
        const entries = await lived(commit, when);
        const count = (type: string, path: string) =>
          entries.filter((entry) => entry.type === type && "path" in entry && entry.path === path).length;
        expect([commit, entries.at(-1)]).toMatchObject([
          commit,
          { type: "run-completed", output: "ended with word" },
        ]);
        expect(["/p/nobody", "/p/chain", "/p/event"].map((path) => count("signal-awaited", path))).toEqual([
          1, 1, 1,
        ]);
        expect([count("step-failed", "/p/nobody"), count("signal-escalated", "/p/chain")]).toEqual([1, 1]);
        expect([count("signal-received", "/p/chain"), count("timer-set", "/p/nap")]).toEqual([1, 1]);
        const began = entries[0]?.at ?? 0;
        expect((entries.at(-1)?.at ?? 0) - began).toBeLessThan(6 * hour);
      }
    });
  }
});

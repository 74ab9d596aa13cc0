import { describe, expect, it } from "vitest";
import * as z from "zod";
import { pipeline } from "../core/compose.ts";
import { memory } from "../stores/memory.ts";
import type { CrashPoint } from "../testing/crash-store.ts";
import { type CastOptions, scene } from "../testing/scene.ts";
import { type ScriptedCall, type ScriptedReply, scriptedModel } from "../testing/scripted-model.ts";
import type { VirtualProcess } from "../testing/virtual-world.ts";
import { agent } from "./agent.ts";
import { models } from "./models.ts";
import { tool } from "./tool.ts";

const Report = z.object({ total: z.number() });

/** Looks two companies up in each of three turns, then answers amiss, then rightly. Decided by the conversation alone. */
function analyst({ options }: ScriptedCall): ScriptedReply {
  const turn = options.prompt.filter(({ role }) => role === "assistant").length;
  const delayMs = 20 + turn;
  if (turn < 3) {
    const names = [`A${turn}`, `B${turn}`];
    const calls = names.map((name) => ({ name: "look_up", input: { name } }));
    return { toolCalls: [...calls, { name: "note", input: { name: `N${turn}` } }], delayMs };
  }
  return { text: turn === 3 ? '{"total":"much"}' : '{"total":6}', delayMs };
}

/** One world in which processes run the analyst, with what each of them did. */
function office() {
  const on = scene({ store: memory() });
  const did: { process: string; tool: string; key: string }[] = [];
  const cast = (options: CastOptions<unknown> = {}) => {
    let process: VirtualProcess | undefined;
    const asked: string[] = [];
    const work = async (name: string, key: string): Promise<{ name: string; revenue: number }> => {
      const here = process as VirtualProcess; // it runs in one
      const ms = name.startsWith("A") ? 5 : 11;
      await new Promise<void>((resolve) => void here.timer(ms, resolve));
      did.push({ process: here.owner, tool: name, key });
      return { name, revenue: name.length };
    };
    const input = z.object({ name: z.string() });
    const tools = [
      tool("look_up", {
        description: "Looks a company up",
        input,
        execute: ({ name }, { idempotencyKey }) => work(name, idempotencyKey),
      }),
      tool("note", {
        description: "Notes",
        input,
        execute: ({ name }, { idempotencyKey }) => work(name, idempotencyKey),
        onUnknown: "ask",
      }),
    ];
    const model = scriptedModel({
      replies: analyst,
      world: { timer: (...timer) => (process as VirtualProcess).timer(...timer) },
      onCall: ({ options: { abortSignal: _, headers: __, ...request } }) =>
        asked.push(JSON.stringify(request)),
    });
    const made = pipeline("p", agent("a", { model, system: "Analyse.", tools, output: Report }));
    const one = on.cast(made, { models: models({ prices: model.prices }), budget: "$1", ...options });
    process = one.process;
    return { ...one, asked };
  };
  return { on, did, cast };
}

const calm = office();
const first = calm.cast();
const undisturbed = await first.run("Go", { runId: "r" });
const crashes = Array.from({ length: first.store.commits }, (_, i) => i + 1).flatMap((commit) =>
  (["before", "after"] as const).map((when): CrashPoint => ({ commit, when })),
);

describe("killed at any boundary of its journal, an agent of five turns with parallel tools", () => {
  it("is undisturbed without a kill", () => {
    expect(undisturbed).toMatchObject({ status: "completed", output: { total: 6 } });
    expect(first.asked).toHaveLength(5);
    expect(calm.did).toHaveLength(9);
    expect(crashes.length).toBeGreaterThan(40);
  });

  it.each(crashes)("$when commit $commit", async (crash) => {
    const { on, did, cast } = office();
    const dying = cast({ crash });
    void dying.runner.start("Go", { runId: "r" }).result();
    await on.wait(60_000);
    expect(dying.process.isAlive).toBe(false);
    const recorded = (await on.journal("r")).flatMap((entry) =>
      entry.type === "operation-completed" ? [entry.path] : [],
    );
    const before = did.length;

    let living = cast();
    let result = await living.run("Go", { runId: "r" });
    const asked = [...living.asked];
    if (result.status === "waiting") {
      // A note was in flight: a person has it written again.
      for (const path of result.signals) await on.play(living.runner.signal("r", path, { retry: true }));
      living = cast();
      result = await on.play(living.runner.resume("r").result());
      asked.push(...living.asked);
    }
    expect(result).toMatchObject({ status: "completed", output: { total: 6 } });

    // The conversation goes on where it stopped, byte for byte.
    const turns = recorded.filter((path) => path.includes(":call#")).length;
    expect(asked).toEqual(first.asked.slice(turns));
    // Tools that had ended ran once; the others with the key they had before.
    const tools = recorded.filter((path) => path.includes(":tool"));
    expect(did).toHaveLength(before + 9 - tools.length);
    expect(new Set(did.map(({ tool, key }) => `${tool} ${key}`)).size).toBe(9);
    expect(did.length).toBeLessThanOrEqual(9 + 3); // one turn's tools were in flight, at most
  });
});

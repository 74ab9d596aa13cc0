import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import type { EntryOf, EntryType } from "../core/entries.ts";
import { decimalUsd, type Usd } from "../core/limits.ts";
import { type CastOptions, type Scene, scene } from "./scene.ts";
import { type ScriptedOptions, scriptedModel } from "./scripted-model.ts";

/**
 * A scene with a model whose output costs $0.01 a token and its input nothing, so that a call with a cap of 10 tokens
 * costs at most $0.10, and an answer of 10 tokens (40 characters) exactly that.
 */
export function market(replies: ScriptedOptions["replies"] = () => "x".repeat(400)) {
  const on = scene();
  const price = { input: "$0", output: "$10000" } as const;
  const cash = on.world.process("model");
  const model = scriptedModel({ replies, price, world: cash });
  const asking = (name: string, cap = 10) =>
    agent<string>(name, {
      model,
      system: "",
      prompt: (text) => `${name} ${text}`,
      maxOutputTokens: cap,
      minOutputTokens: cap,
    });
  const paying = (budget?: Usd): CastOptions<never> => ({
    models: models({ prices: model.prices, now: () => on.world.now() }),
    ...(budget ? { budget } : {}),
  });
  return { ...on, model, asking, paying, billed: () => `$${decimalUsd(model.billedPicoUsd)}` };
}

export const spentOf = (result: { readonly spent: { readonly picoUsd: bigint } }): string =>
  `$${decimalUsd(result.spent.picoUsd)}`;

/** The entries of one type in a run's journal. */
export async function entriesOf<T extends EntryType>(
  on: Pick<Scene, "journal">,
  type: T,
  runId = "r",
): Promise<EntryOf<T>[]> {
  const journal = await on.journal(runId);
  return journal.filter((entry): entry is EntryOf<T> & typeof entry => entry.type === type);
}

/** Options handed through to a provider, and the few that a budget could not live with. */

import { InvalidOptionError } from "../core/errors.ts";
import type { CallOptions } from "./language-model.ts";
import { isRecord } from "./language-model.ts";

export type ProviderOptions = NonNullable<CallOptions["providerOptions"]>;

/** They add a stored conversation to the prompt: input that no bound on the prompt covers. */
const hiddenInput = new Set(["previousResponseId", "previous_response_id", "conversation"]);
/** They replace the output cap that the budget writes into the request. */
const ownCap = /^max_?(?:output|completion)?_?tokens$/i;

/** @throws InvalidOptionError naming the option and what to use instead. */
export function checkProviderOptions(options: unknown, who: string): void {
  if (!isRecord(options)) return;
  for (const [key, value] of Object.entries(options)) {
    if (hiddenInput.has(key)) {
      throw new InvalidOptionError(
        `${who} sets the provider option "${key}", which adds input no budget can bound`,
        {
          hint: "Put the earlier messages into the prompt.",
        },
      );
    }
    if (ownCap.test(key)) {
      throw new InvalidOptionError(
        `${who} sets the provider option "${key}", which would replace the budget's cap`,
        {
          hint: "Use maxOutputTokens.",
        },
      );
    }
    checkProviderOptions(value, who);
  }
}

/** Output tokens a provider allows beside the cap it is given: Anthropic's thinking budget. */
export function hiddenOutput(options: ProviderOptions | undefined): number {
  const thinking = options?.anthropic?.thinking;
  const tokens = isRecord(thinking) ? thinking.budgetTokens : undefined;
  return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens > 0 ? tokens : 0;
}

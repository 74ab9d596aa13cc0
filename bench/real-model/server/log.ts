/** One request as the server saw it: the truth that Flujo's account is compared with. Times are milliseconds. */
export interface Served {
  readonly index: number;
  readonly api: "chat" | "responses";
  readonly model: string;
  /** The idempotency key it came with. */
  readonly key: string | undefined;
  readonly stream: boolean;
  readonly cap: number | undefined;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** `refused`: longer than the model's context, so nothing was done. `gone`: its client left before its turn came. */
  readonly finish: "stop" | "length" | "tool_calls" | "aborted" | "gone" | "refused";
  readonly queued: number;
  /** From its turn to the first token. */
  readonly first: number | undefined;
  /** From its turn to its end. */
  readonly took: number;
  /** From the client's leaving to the last token made. */
  readonly stoppedWithin: number | undefined;
  readonly text: string;
}

/** What the log's tokens cost, at pico-dollars a token. */
export const bill = (
  log: readonly Served[],
  price: { readonly input: bigint; readonly output: bigint },
): bigint =>
  log.reduce(
    (sum, { promptTokens, outputTokens }) =>
      sum + BigInt(promptTokens) * price.input + BigInt(outputTokens) * price.output,
    0n,
  );

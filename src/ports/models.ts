import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { GenerateRequest, ModelOptions, PaidContext } from "../core/context.ts";
import type { Schema } from "../core/schema.ts";
import type { Pace } from "./pace.ts";

/** What the engine asks of whoever speaks to models. */
export interface Models {
  /** How fast they may be called. Absent: as fast as one likes. */
  readonly pace?: Pace;
  /** `ctx.generate`: one answer, as durable paid operations of the context. */
  generate(
    context: PaidContext,
    name: string,
    request: GenerateRequest & { readonly output?: Schema },
  ): Promise<unknown>;
  /** `ctx.model`: a language model whose every call is a durable paid operation of the context. */
  model(context: PaidContext, model: string | object, options?: ModelOptions): LanguageModelV4;
  /**
   * Complaints about a model, before anything runs: unknown provider, missing package, missing key; and, when the
   * run has a cost limit, an unknown price.
   */
  examine(model: string | object, needs: { readonly price: boolean }): Promise<Error | undefined>;
}

import type { LanguageModelV4 } from "@ai-sdk/provider";
import type {
  EmbedRequest,
  GenerateRequest,
  ImageRequest,
  ModelOptions,
  PaidContext,
} from "../core/context.ts";
import type { ModelKind } from "../core/node.ts";
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
  /** `ctx.embed`: the vectors of texts, a durable paid operation for each batch of them. */
  embed(context: PaidContext, name: string, request: EmbedRequest): Promise<unknown>;
  /** `ctx.generateImage`: images, a durable paid operation for each call it takes. */
  generateImage(context: PaidContext, name: string, request: ImageRequest): Promise<unknown>;
  /** `ctx.model`: a language model whose every call is a durable paid operation of the context. */
  model(context: PaidContext, model: string | object, options?: ModelOptions): LanguageModelV4;
  /**
   * Complaints about a model, before anything runs: unknown provider, missing package, missing key; and, when the
   * run has a cost limit, an unknown price.
   */
  examine(model: string | object, needs: Needs): Promise<Error | undefined>;
}

/** What a model is wanted for. */
export interface Needs {
  readonly price: boolean;
  /** Default `language`. */
  readonly kind?: ModelKind | undefined;
}

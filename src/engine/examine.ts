/** What is looked at before a run: a model that cannot be called, or paid, is no surprise in the middle of it. */
import { InvalidPipelineError, type Problem } from "../core/errors.ts";
import type { Limits } from "../core/limits.ts";
import { type ScopeRecord, termsAt } from "../core/scopes.ts";
import { modelsIn } from "../core/validation.ts";
import type { Models } from "../ports/models.ts";
import type { Root } from "./root.ts";
import type { Setting } from "./setting.ts";

/**
 * Refuses a model without a price, wherever a limit of cost holds that is known by now.
 *
 * @throws UnpricedModelError, UnknownModelError, or InvalidPipelineError for several.
 */
export async function examine<State>(
  { root: bare, options }: Setting<State>,
  limits: Limits | undefined,
  scopes: readonly ScopeRecord[] = [],
  root = bare,
): Promise<void> {
  const { models, store, world } = options;
  const all = [limits ?? root.limits, ...scopes.map((scope) => scope.limits)];
  if (scopes.length > 0) {
    const names = scopes.map((scope) => termsAt(scope, world.now()).scope);
    for (const account of await store.accounts({ scopes: names })) all.push(account.limits);
  }
  await examineModels(root, models, all);
}

/** @throws what is wrong with the one model that cannot be called or, under a cost limit, has no price; InvalidPipelineError for several. */
async function examineModels(
  root: Root,
  models: Models | undefined,
  limits: readonly (Limits | undefined)[],
): Promise<void> {
  if (models === undefined) return;
  const price = limits.some((limit) => limit?.picoUsd !== undefined);
  const problems: Problem[] = [];
  let first: Error | undefined;
  for (const { model, kind, path } of modelsIn(root.node)) {
    const error = await models.examine(model, { price, kind });
    if (error === undefined) continue;
    first ??= error;
    const hint = "hint" in error && error.hint !== undefined ? ` ${error.hint}` : "";
    const code = "code" in error ? String(error.code) : "unknown-model";
    problems.push({ code, path, message: error.message + hint });
  }
  if (problems.length === 1 && first !== undefined) throw first;
  if (problems.length > 0) throw new InvalidPipelineError(problems);
}

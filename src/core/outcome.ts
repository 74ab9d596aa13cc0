import type { Schema } from "./schema.ts";

/** What a person found out about work of which nobody knows whether it happened. */
export type Outcome =
  /** It did not happen, or it may happen twice: run it again. */
  | { readonly retry: true }
  /** It happened, and this is what it returned. */
  | { readonly result: unknown }
  /** It failed: why. */
  | { readonly failed: string };

/** The answer to the question what became of an operation: exactly one of `retry`, `result`, `failed`. */
export const outcomeSchema: Schema<unknown, Outcome> = {
  "~standard": {
    version: 1,
    vendor: "flujo",
    validate(value) {
      const issue = { message: "expected { retry: true }, { result: … } or { failed: why }" };
      if (typeof value !== "object" || value === null || Object.keys(value).length !== 1)
        return { issues: [issue] };
      const { retry, failed } = value as { retry?: unknown; failed?: unknown };
      if (retry === true) return { value: { retry } };
      if (typeof failed === "string") return { value: { failed } };
      return "result" in value ? { value: { result: value.result } } : { issues: [issue] };
    },
  },
};

import type { Schema } from "./schema.ts";

/** What a person who approves answers, unless a schema says otherwise. */
export interface Approval {
  readonly approved: boolean;
  readonly note?: string;
}

/** The answer a person gives when no schema says otherwise: `{ approved, note? }`. */
export const approvalSchema: Schema<unknown, Approval> = {
  "~standard": {
    version: 1,
    vendor: "flujo",
    validate(value) {
      if (typeof value !== "object" || value === null)
        return { issues: [{ message: "expected { approved, note? }" }] };
      const { approved, note } = value as { approved?: unknown; note?: unknown };
      if (typeof approved !== "boolean")
        return { issues: [{ message: "expected true or false", path: ["approved"] }] };
      if (note === undefined) return { value: { approved } };
      if (typeof note !== "string") return { issues: [{ message: "expected a text", path: ["note"] }] };
      return { value: { approved, note } };
    },
  },
};

/** What a fork begins with: the place of an operation, and the texts of its agent that can be changed. */
import type { Json } from "../../../src/core/json.ts";

export interface Improvables {
  readonly agents: { readonly [place: string]: Json };
  /** The agent at the path that was asked for. */
  readonly at: string | null;
  /** Whether that is the version the run was recorded under. */
  readonly current: boolean;
}

/** What a fork is asked for beside its point. */
export interface Change {
  readonly system?: string;
  readonly prompt?: string;
  readonly model?: string;
}

/** The place whose body an operation is in: `/q3/report` of `/q3/report@2:call#1`. */
export const placeOf = (path: string): string => path.replace(/:.*$/, "").replace(/@\d+$/, "");

/** What of an agent is edited as text: its prompts and its model, those that it has as data. */
export function textsOf({ agents, at }: Improvables): { readonly [field: string]: string } {
  const values = at === null ? null : (agents[at] ?? null);
  if (typeof values !== "object" || values === null || Array.isArray(values)) return {};
  return Object.fromEntries(
    ["system", "prompt", "model"].flatMap((field) => {
      const value = (values as { readonly [field: string]: Json })[field];
      return typeof value === "string" ? [[field, value]] : [];
    }),
  );
}

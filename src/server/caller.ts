import type { Context, Env } from "hono";
import type { Role } from "./roles.ts";

/** Who asks. */
export interface Caller {
  /** The name of the token. Undefined where no tokens are configured: somebody on this machine. */
  readonly name: string | undefined;
  readonly role: Role;
}

/** What a request carries once it has been let in. */
export interface Admitted extends Env {
  readonly Variables: { readonly caller: Caller };
}

export const callerOf = (c: Context<Admitted>): Caller => c.get("caller");

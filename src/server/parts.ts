/** What a server is made of. */
import type { Hono } from "hono";
import type { AnyStep } from "../core/step.ts";
import type { Runner } from "../engine/runner.ts";
import type { Outbox } from "../events/outbox.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import type { ServerOptions } from "./options.ts";
import type { Role } from "./roles.ts";

/** What a server needs of a `Flujo`, or another `Runner`. */
export type Running = Pick<
  Runner<unknown, unknown>,
  "start" | "submit" | "resume" | "fork" | "replay" | "signal" | "cancel" | "topUp" | "events"
>;

/** A pipeline whose runs this process can start and go on with. */
export interface Served {
  readonly step: AnyStep;
  readonly flujo: Running;
}

/** A part of the server that others make. */
export interface Mount {
  /** Where it stands: `"/metrics"`. */
  readonly at: string;
  readonly app: Hono;
  /** What it takes to come in. Absent: it is open to whoever reaches the server, and looks after itself. */
  readonly role?: Role;
}

export interface ServerParts {
  readonly store: Store;
  readonly world: World;
  readonly options?: ServerOptions;
  /** Without them runs can be looked at, answered where that needs no pipeline, and cancelled. */
  readonly pipelines?: readonly Served[];
  readonly mounts?: readonly Mount[];
  /** False: it answers at its mounts alone, and nobody can change anything. Default true. */
  readonly hasApi?: boolean;
  /** What browsers are shown at every path that nothing else answers: `pages()`, the dashboard. */
  readonly pages?: Hono;
  /** What tells the sinks, where there are any: without it dead letters can be looked at and dropped, not sent again. */
  readonly outbox?: Outbox;
  /** Told of requests that failed by no fault of theirs. Default: a line on stderr. */
  readonly onError?: (error: unknown) => void;
}

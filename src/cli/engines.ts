import { InvalidOptionError } from "../core/errors.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";

/** What hands runs to workers, for messages and help. */
export const engineKinds = "postgres://HOST/DATABASE (pg-boss), redis://HOST (BullMQ)";

/**
 * The dispatcher of a URI. What it needs is loaded when it is used.
 *
 * @throws InvalidOptionError
 */
export async function openEngine(engine: string | Dispatcher): Promise<Dispatcher> {
  if (typeof engine !== "string") return engine;
  if (/^postgres(ql)?:/.test(engine)) return (await import("../dispatch/pg-boss.ts")).pgBoss(engine);
  if (/^rediss?:/.test(engine)) return (await import("../dispatch/bullmq.ts")).bullmq(engine);
  throw new InvalidOptionError(`"${engine.replace(/\/\/[^@/]*@/, "//")}" names no engine`, {
    hint: `Write ${engineKinds}.`,
  });
}

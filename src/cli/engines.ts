import { InvalidOptionError } from "../core/errors.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import { importPackage } from "../ports/optional-package.ts";

/** What hands runs to workers, for messages and help. */
export const engineKinds =
  "postgres://HOST/DATABASE (pg-boss), redis://HOST (BullMQ), restate://HOST:8080 (Restate)";

/**
 * The dispatcher of a URI. Its queue is asked for when it is used.
 *
 * @param by who uses it: to submit takes fewer packages.
 * @throws InvalidOptionError, MissingPackageError
 */
export async function openEngine(
  engine: string | Dispatcher,
  by: "worker" | "submitter",
): Promise<Dispatcher> {
  if (typeof engine !== "string") return engine;
  if (/^postgres(ql)?:/.test(engine)) {
    await Promise.all((by === "worker" ? ["pg-boss", "pg"] : ["pg-boss"]).map((name) => importPackage(name)));
    return (await import("../dispatch/pg-boss.ts")).pgBoss(engine);
  }
  if (/^rediss?:/.test(engine)) {
    await Promise.all(["bullmq", "ioredis"].map((name) => importPackage(name)));
    return (await import("../dispatch/bullmq.ts")).bullmq(engine);
  }
  if (/^restates?:/.test(engine)) {
    if (by === "worker") await importPackage("@restatedev/restate-sdk");
    return (await import("../dispatch/restate.ts")).restate(engine);
  }
  throw new InvalidOptionError(`"${engine.replace(/\/\/[^@/]*@/, "//")}" names no engine`, {
    hint: `Write ${engineKinds}.`,
  });
}

import { describe, test } from "vitest";
import { hasPooler } from "./pooler.ts";
import { hasPostgres } from "./postgres.ts";
import { hasOwnRedis, hasRedis } from "./redis.ts";
import { hasRestate } from "./restate.ts";

const kinds = {
  postgres: {
    isThere: hasPostgres,
    remedy: "apt-get install postgresql, or TEST_POSTGRES_URL names a server",
  },
  pooler: { isThere: hasPostgres && hasPooler, remedy: "apt-get install postgresql pgbouncer" },
  redis: { isThere: hasRedis, remedy: "apt-get install redis-server, or TEST_REDIS_URL names a server" },
  "own redis": { isThere: hasOwnRedis, remedy: "apt-get install redis-server, and no TEST_REDIS_URL" },
  restate: {
    isThere: hasRestate,
    remedy: "npm install, on Linux or macOS, x64 or arm64: it brings @restatedev/restate-server",
  },
} as const;

/** Tests that take a database server. Where there is none they do not run, and it is said so. */
export function databases(kind: keyof typeof kinds, name: string, tests: () => void): void {
  const { isThere, remedy } = kinds[kind];
  if (isThere) {
    describe(name, tests);
    return;
  }
  test(`${name}: NOT TESTED, for there is no ${kind}`, ({ annotate }) => {
    console.warn(
      `\n*** ${name}: these tests did not run. There is no ${kind} on this machine: ${remedy}. ***\n`,
    );
    return annotate(remedy, "warning").then(() => {});
  });
}

/** Workers among kills and restarts. Needs `npm run build`. The long one: `node tests/scale/run.ts`. */
import { expect, test } from "vitest";
import { chance } from "../../src/testing/chance.ts";
import { databases } from "../servers/databases.ts";
import { postgresServer } from "../servers/postgres.ts";
import { series } from "./fleet.ts";

const plan = { runs: 60, workers: 4, kills: 5, killEveryMs: 600, restarts: 2, chance: chance(7) } as const;

databases(
  "postgres",
  "four workers on a database, some killed, one stopped past its lease, the database restarted",
  () => {
    test.each([
      ["finding runs in the store", {}],
      ["handed them by pg-boss", { engine: (url: string) => url }],
    ])("%s: each ends once, as undisturbed; nothing is done again, lost or overspent", async (_, how) => {
      const server = await postgresServer();
      try {
        const { recorded } = await series(server, { ...plan, ...how });
        expect(recorded).toBe(2 * plan.runs);
      } finally {
        await server.stop();
      }
    });
  },
);

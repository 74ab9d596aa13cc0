/**
 * What scales, and how far: `npm run bench:scale [-- --only PART] [--rounds 5] [--keep]`. One private Postgres that syncs each
 * commit. The tables go to docs/scale.md, unless `--keep` leaves it as it is.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { postgresServer } from "../tests/servers/postgres.ts";
import { beside } from "./beside.ts";
import { dispatch } from "./dispatch.ts";
import { root } from "./measure.ts";
import { machine, show, write } from "./tables.ts";
import { workers } from "./workers.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    rounds: { type: "string", default: "5" },
    keep: { type: "boolean" },
  },
});
/** Each gives its tables by the names of their marks. */
const parts: {
  readonly [name: string]: (url: string, rounds: number) => Promise<{ readonly [mark: string]: string }>;
} = {
  beside: async (url, rounds) => ({ beside: await beside(url, rounds) }),
  workers,
  dispatch: async (url) => ({ dispatch: await dispatch(url) }),
};
const unknown = values.only?.filter((part) => !(part in parts)) ?? [];
if (unknown.length > 0) {
  console.error(`No part is named ${unknown.join(", ")}: there are ${Object.keys(parts).join(", ")}.`);
  process.exit(2);
}

for (const [name, part] of Object.entries(parts)) {
  if (values.only && !values.only.includes(name)) continue;
  const server = await postgresServer({ fsync: "on", shared_buffers: "512MB", max_wal_size: "4GB" });
  try {
    const measured = machine(await versionOf(server.url));
    for (const [mark, tables] of Object.entries(await part(server.url, Number(values.rounds)))) {
      const text = `${measured}\n\n${tables}`;
      show(mark, text);
      if (!values.keep) write(join(root, "docs", "scale.md"), mark, text);
    }
  } finally {
    await server.stop();
  }
}

async function versionOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query("SHOW server_version");
  await client.end();
  return `PostgreSQL ${String(rows[0].server_version).split(" ")[0]}`;
}

/** Not a system but the floor under all of them: a loop that inserts each result in a commit of its own. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { measure, result } from "./harness.ts";

export const rawLoop = (synchronous: "FULL" | "NORMAL") =>
  measure({
    name: "raw loop",
    packages: [],
    own: { version: `node:sqlite of Node ${process.version}` },
    store: `SQLite, WAL, synchronous=${synchronous}`,
    survives: synchronous === "FULL" ? "power loss" : "kill",
    async open(folder) {
      const path = join(folder, "raw.db");
      const open = () => {
        const db = new DatabaseSync(path);
        db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
        db.exec("CREATE TABLE IF NOT EXISTS journal (run TEXT, seq INTEGER, entry TEXT, PRIMARY KEY (run, seq)) WITHOUT ROWID");
        return { db, insert: db.prepare("INSERT INTO journal VALUES (?, ?, ?)") };
      };
      let system = open();
      const step = async (id: string, n: number) => {
        const done = await (async () => result(n))();
        system.insert.run(id, n, JSON.stringify(done));
      };
      return {
        async chain(id, steps) {
          for (let n = 0; n < steps; n++) await step(id, n);
        },
        async fanout(id, items) {
          for (let from = 0; from < items; from += 16) {
            system.db.exec("BEGIN");
            for (let n = from; n < Math.min(from + 16, items); n++) await step(id, n);
            system.db.exec("COMMIT");
          }
        },
        async resume(id, steps) {
          for (let n = 0; n < steps; n++) await step(id, n);
          system.db.close();
          const from = performance.now();
          system = open();
          const rows = system.db.prepare("SELECT entry FROM journal WHERE run = ? ORDER BY seq").all(id);
          for (const { entry } of rows) JSON.parse(entry as string);
          return performance.now() - from;
        },
        close: async () => system.db.close(),
      };
    },
  });

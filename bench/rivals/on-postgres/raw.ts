/** What nothing can beat that commits each step by itself: one row a commit, by as many connections as all others have. */
import pg from "pg";
import { mark, result, takePart } from "./contestant.ts";

await takePart({
  name: "raw commits",
  package: "pg",
  async open(url, connections) {
    const pool = new pg.Pool({ connectionString: url, max: connections });
    await pool.query("CREATE TABLE IF NOT EXISTS raw(run text, seq int, entry text, PRIMARY KEY(run, seq))");
    return {
      async run(id, steps) {
        for (let n = 0; n < steps; n++) {
          mark(id);
          const row = [id, n, JSON.stringify(result(n))];
          await pool.query("INSERT INTO raw VALUES ($1, $2, $3)", row);
        }
      },
      close: () => pool.end(),
    };
  },
});

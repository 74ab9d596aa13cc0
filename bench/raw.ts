/** The raw limits: what the machine allows when nothing at all stands between the work and the disk. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { content, figure, inFolder, inTurns, timed } from "./measure.ts";

let files = 0;
let runs = 0;

/** A database kept open over many measurements, as a store is. */
export interface RawDatabase {
  /** Inserts so many rows, `rowsPerCommit` (default 1) in each commit: microseconds a row. */
  insert(rows: number, rowsPerCommit?: number): Promise<number>;
  close(): void;
}

/**
 * A bare `node:sqlite` insert loop in WAL mode. FULL survives power loss, NORMAL a killed process.
 *
 * It begins warm: while the log still grows, each sync also pays for the file's new size, half as much again. Measured
 * cold, the limit would flatter whatever is held against it.
 */
export async function rawDatabase(folder: string, synchronous: "FULL" | "NORMAL"): Promise<RawDatabase> {
  const db = open(join(folder, `raw-${files++}.db`), synchronous);
  const add = db.prepare("INSERT INTO journal (run, seq, entry) VALUES (?, ?, ?)");
  const insert = async (rows: number, rowsPerCommit = 1): Promise<number> => {
    const run = `run-${runs++}`;
    const ms = await timed(() => {
      for (let from = 0; from < rows; from += rowsPerCommit) {
        if (rowsPerCommit > 1) db.exec("BEGIN");
        const to = Math.min(from + rowsPerCommit, rows);
        for (let n = from; n < to; n++) add.run(run, n, JSON.stringify(content(n)));
        if (rowsPerCommit > 1) db.exec("COMMIT");
      }
    });
    return (ms * 1_000) / rows;
  };
  await insert(2_000); // past the first checkpoint, where the log begins again from its start
  return { insert, close: () => db.close() };
}

/** Reads a journal of so many rows back, parsed: milliseconds. */
export async function readBack(folder: string, rows: number): Promise<number> {
  const path = join(folder, `raw-${files++}.db`);
  const db = open(path, "NORMAL");
  db.exec("BEGIN");
  const insert = db.prepare("INSERT INTO journal (run, seq, entry) VALUES (?, ?, ?)");
  for (let n = 0; n < rows; n++) insert.run("run", n, JSON.stringify(content(n)));
  db.exec("COMMIT");
  db.close();
  return await timed(() => {
    const again = new DatabaseSync(path);
    const all = again.prepare("SELECT entry FROM journal WHERE run = ? ORDER BY seq").all("run");
    for (const { entry } of all) JSON.parse(entry as string); // the column is TEXT NOT NULL
    again.close();
  });
}

/** An append-only file, one line a row, with or without `fdatasync` after each: microseconds a row. */
export async function appendLoop(
  folder: string,
  { rows, synced }: { rows: number; synced: boolean },
): Promise<number> {
  const file = openSync(join(folder, `raw-${files++}.log`), "a");
  const ms = await timed(() => {
    for (let n = 0; n < rows; n++) {
      writeSync(file, `${JSON.stringify(content(n))}\n`);
      if (synced) fdatasyncSync(file);
    }
  });
  closeSync(file);
  return (ms * 1_000) / rows;
}

/** Awaiting a bare async function: microseconds a call. */
export async function awaitLoop(calls: number): Promise<number> {
  const work = async (n: number) => content(n);
  const ms = await timed(async () => {
    for (let n = 0; n < calls; n++) await work(n);
  });
  return (ms * 1_000) / calls;
}

function open(path: string, synchronous: "FULL" | "NORMAL"): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
  db.exec(
    "CREATE TABLE journal (run TEXT NOT NULL, seq INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (run, seq)) WITHOUT ROWID",
  );
  return db;
}

/** One line of the table of limits. */
export interface Limit {
  readonly work: string;
  readonly figure: number;
  readonly unit: "us" | "ms";
}

/** Every raw limit, measured in turns. */
export async function rawLimits(): Promise<readonly Limit[]> {
  return await inFolder(async (folder) => {
    const full = await rawDatabase(folder, "FULL");
    const normal = await rawDatabase(folder, "NORMAL");
    const us = await inTurns(5, {
      "awaiting an async function": () => awaitLoop(100_000),
      "SQLite WAL, one row a commit, synchronous=NORMAL": () => normal.insert(2_000),
      "the same, FULL (survives power loss)": () => full.insert(500),
      "FULL, 16 rows a commit, a row": () => full.insert(4_000, 16),
      "FULL, 100 rows a commit, a row": () => full.insert(10_000, 100),
      "append + fdatasync to a file": () => appendLoop(folder, { rows: 500, synced: true }),
      "append to a file, no sync": () => appendLoop(folder, { rows: 5_000, synced: false }),
    });
    full.close();
    normal.close();
    const ms = await inTurns(5, { "reading 10,000 rows back, parsed": () => readBack(folder, 10_000) });
    return [
      ...Object.entries(us).map(([work, { median }]) => ({ work, figure: median, unit: "us" as const })),
      ...Object.entries(ms).map(([work, { median }]) => ({ work, figure: median, unit: "ms" as const })),
    ];
  });
}

if (import.meta.main) {
  for (const limit of await rawLimits())
    console.log(`${figure(limit.figure).padStart(8)} ${limit.unit}  ${limit.work}`);
}

import { closeSync, fdatasync, fdatasyncSync, ftruncateSync } from "node:fs";
import { promisify } from "node:util";
import type { Entry } from "../../core/entries.ts";
import type { Append, AppendOutcome, Blob, Lease, RunSummary } from "../../ports/store.ts";
import { follow } from "../../ports/store-rules.ts";
import { exists, syncFolder, writeAt } from "./disk.ts";
import type { Opened } from "./lease.ts";
import { encodeAppend, segmentPath } from "./segment.ts";

/** An open segment this process may append to. */
interface Writer {
  readonly fence: number;
  readonly file: number;
  /** The file whose presence says that a newer lease exists. */
  readonly nextSegment: string;
  end: number;
  seq: number;
  unsynced: readonly string[];
}

/** What one commit adds to one run: a single line, however many appends it comes from. */
interface Batch {
  readonly runId: string;
  readonly writer: Writer;
  readonly entries: Entry[];
  summary: RunSummary | undefined;
  seq: number;
}

/** The segments whose leases this process holds. */
export interface Writers {
  open(folder: string, lease: Lease, opened: Opened): void;
  commit(appends: readonly Append[]): Promise<readonly AppendOutcome[]>;
  close(runId: string, fence: number): void;
  closeAll(): void;
}

/** @param keep makes a blob last; called before the line that refers to it is written. */
export function writers(synced: boolean, keep: (blob: Blob) => void): Writers {
  const open = new Map<string, Writer>();

  const drop = (runId: string): void => {
    const writer = open.get(runId);
    if (writer === undefined) return;
    open.delete(runId);
    closeSync(writer.file);
  };

  /** The writer of a lease that is still the newest. */
  const current = (runId: string, fence: number): Writer | undefined => {
    const writer = open.get(runId);
    if (writer?.fence !== fence) return undefined;
    if (!exists(writer.nextSegment)) return writer;
    drop(runId);
    return undefined;
  };

  /** The appends by run, checked; those of stale leases left out. */
  const gather = (appends: readonly Append[]): Map<string, Batch> => {
    const batches = new Map<string, Batch>();
    for (const append of appends) {
      let batch = batches.get(append.runId);
      if (batch?.writer.fence !== append.fence) batch = undefined;
      if (batch === undefined) {
        const writer = current(append.runId, append.fence);
        if (writer === undefined) continue;
        batch = { runId: append.runId, writer, entries: [], summary: undefined, seq: writer.seq };
        batches.set(append.runId, batch);
      }
      batch.seq = follow(append, batch.seq);
      for (const entry of append.entries) batch.entries.push(entry);
      batch.summary = append.summary ?? batch.summary;
    }
    return batches;
  };

  const isOf = (append: Append, batch: Batch | undefined): boolean => batch?.writer.fence === append.fence;

  const write = async (batches: readonly Batch[]): Promise<number[]> => {
    try {
      const lengths = batches.map(({ writer, entries, summary }) => {
        const line = encodeAppend({ entries, summary });
        writeAt(writer.file, line, writer.end);
        return line.length;
      });
      if (synced) await sync(batches.map(({ writer }) => writer));
      return lengths;
    } catch (error) {
      for (const { writer } of batches) cutOff(writer);
      throw error;
    }
  };

  return {
    open(folder, lease, opened) {
      drop(lease.runId);
      open.set(lease.runId, {
        fence: lease.fence,
        file: opened.file,
        nextSegment: segmentPath(folder, lease.fence + 1),
        end: opened.end,
        seq: opened.seq,
        unsynced: opened.folders,
      });
    },

    async commit(appends) {
      const batches = gather(appends);
      for (const append of appends) {
        if (append.blobs.length > 0 && isOf(append, batches.get(append.runId))) append.blobs.forEach(keep);
      }
      const written = [...batches.values()];
      const lengths = await write(written);
      for (const [i, batch] of written.entries()) {
        batch.writer.end += lengths[i] as number; // one length a batch
        batch.writer.seq = batch.seq;
        if (current(batch.runId, batch.writer.fence) === undefined) batches.delete(batch.runId);
      }
      return appends.map((append) => (isOf(append, batches.get(append.runId)) ? "appended" : "fenced"));
    },

    close(runId, fence) {
      if (open.get(runId)?.fence === fence) drop(runId);
    },

    closeAll() {
      for (const runId of [...open.keys()]) drop(runId);
    },
  };
}

const syncFile = promisify(fdatasync);

/** One file is synced at once: going to another thread and back would cost a fifth more. Several are synced side by side. */
async function sync(open: readonly Writer[]): Promise<void> {
  const folders = new Set(open.flatMap(({ unsynced }) => unsynced));
  const [first] = open;
  if (open.length === 1 && first !== undefined) {
    fdatasyncSync(first.file);
  } else {
    const results = await Promise.allSettled(open.map(({ file }) => syncFile(file)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
  folders.forEach(syncFolder);
  for (const writer of open) writer.unsynced = [];
}

/** Takes back what was written but not acknowledged; where that fails, the next append writes over it. */
function cutOff(writer: Writer): void {
  try {
    ftruncateSync(writer.file, writer.end);
  } catch {}
}

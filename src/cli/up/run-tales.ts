import type { Entry } from "../../core/entries.ts";
import type { Happening, Tell } from "./happening.ts";

/** Tells of the runs of one pipeline, by their entries. */
export class RunTales {
  readonly #pipeline: string;
  readonly #tell: Tell;
  readonly #since = new Map<string, number>();

  constructor(pipeline: string, tell: Tell) {
    this.#pipeline = pipeline;
    this.#tell = tell;
  }

  hear(runId: string, entries: readonly Entry[]): void {
    for (const entry of entries) {
      switch (entry.type) {
        case "run-created":
          this.#begins(runId, "started", entry.at);
          break;
        case "run-resumed":
          this.#begins(runId, entry.seq === 1 ? "started" : entry.why, entry.at); // nothing of it was done before
          break;
        case "run-completed":
          this.#ends(runId, "completed", entry.at, null);
          break;
        case "run-failed":
          this.#ends(runId, "failed", entry.at, entry.error.message);
          break;
        case "run-halted":
          this.#ends(runId, "halted", entry.at, entry.error.message);
          break;
        case "run-cancelled":
          this.#ends(runId, "cancelled", entry.at, entry.error.message);
          break;
        case "run-waiting": {
          const paths = (entry.waits ?? []).map(({ path }) => path);
          this.#ends(
            runId,
            "waiting",
            entry.at,
            `for ${paths.slice(0, 3).join(", ")}${paths.length > 3 ? " …" : ""}`,
          );
        }
      }
    }
  }

  #begins(runId: string, why: Extract<Happening, { type: "run-advanced" }>["why"], at: number): void {
    this.#since.set(runId, at);
    this.#tell({ type: "run-advanced", why, runId, pipeline: this.#pipeline });
  }

  #ends(
    runId: string,
    status: Extract<Happening, { type: "run-ended" }>["status"],
    at: number,
    message: string | null,
  ): void {
    const tookMs = at - (this.#since.get(runId) ?? at);
    this.#since.delete(runId);
    this.#tell({ type: "run-ended", status, runId, pipeline: this.#pipeline, tookMs, message });
  }
}

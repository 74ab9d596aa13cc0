import type { EntryType } from "../../core/entries.ts";
import type { Json } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";
import { Interruption } from "../interruption.ts";
import type { Compared, Difference, Differing } from "./report.ts";

/** Where a line of execution came to the end of the record. */
export interface End {
  readonly path: Path;
  /** The entry that would have led on. */
  readonly entry: EntryType;
}

/** Gathers what a replay finds. */
export class Findings {
  readonly differences: Difference[] = [];
  readonly ends: End[] = [];
  readonly notRun: Path[] = [];
  readonly unknownRequests: Path[] = [];
  readonly compared: { -readonly [Field in keyof Compared]: number } = {
    decisions: 0,
    bodies: 0,
    operations: 0,
    requests: 0,
  };

  differ(path: Path, what: Differing, recorded: string, now: string): void {
    this.differences.push({ path, what, recorded, now });
  }

  /** @returns what ends this line of execution, while those beside it go on. */
  stop(path: Path): Interruption {
    return Interruption.suspended([{ path, kind: "signal" }]);
  }

  /** The same where there is no record to go on with. */
  end(path: Path, entry: EntryType): Interruption {
    this.ends.push({ path, entry });
    return this.stop(path);
  }
}

const mostShown = 200;

/** A value in one line. */
export function brief(json: Json | undefined): string {
  const text = json === undefined ? "nothing" : JSON.stringify(json);
  return text.length <= mostShown ? text : `${text.slice(0, mostShown)}…`;
}

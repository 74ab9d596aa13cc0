import type { DatasetFault } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";

/** What a format's reader makes of a text. */
export interface Read {
  /** In the order of the text, to be gone through once; undefined where one could not be read at all. */
  readonly records: Iterable<Json | undefined>;
  /** All of them are there once the records have been gone through. */
  readonly faults: readonly DatasetFault[];
  /** The line, from 1, of a record, or of one of its fields where the format knows. */
  readonly lineOf: (index: number, field?: string) => number;
}

export type Reader = (text: string) => Read;

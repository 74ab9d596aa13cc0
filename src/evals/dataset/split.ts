import { hash } from "node:crypto";
import { InvalidOptionError } from "../../core/errors.ts";
import type { Case, Split } from "./case.ts";

/** Parts of a dataset, each from 0 to 1, together 1. */
export type Shares = { readonly [split in Split]: number };

const defaultShares: Shares = { train: 0.6, validation: 0.2, test: 0.2 };
const resolution = 2 ** 48;

/**
 * The split a case belongs to: its own, or else by a hash of its cluster, or of its id. So alike cases stay together, and
 * no case ever moves because others were added.
 *
 * ```ts
 * const split = splitOf({ id: "a1", input: "2 + 2", cluster: "sums" }, { train: 0.5, validation: 0.25, test: 0.25 });
 * ```
 *
 * @param shares default 0.6, 0.2, 0.2. Of a small dataset each split may have a little more or less.
 * @throws InvalidOptionError for shares that are not 1 together.
 */
export function splitOf({ id, cluster, split }: Case, shares: Shares = defaultShares): Split {
  const { train, validation, test } = shares;
  const isWhole = Math.abs(train + validation + test - 1) < 1e-9;
  if (!isWhole || ![train, validation, test].every((share) => share >= 0)) {
    throw new InvalidOptionError(`the shares ${train}, ${validation} and ${test} are not 1 together`);
  }
  if (split !== undefined) return split;
  // A cluster and an id of the same name are no relations.
  const key = cluster === undefined ? `case ${id}` : `cluster ${cluster}`;
  const at = Number.parseInt(hash("sha256", key).slice(0, 12), 16) / resolution;
  return at < train ? "train" : at < train + validation ? "validation" : "test";
}

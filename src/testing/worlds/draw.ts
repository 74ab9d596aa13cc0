import { hash } from "node:crypto";

/**
 * A number from 0 to 1 that follows from texts alone: the same texts have the same number, and any others have one that has
 * nothing to do with it. So a model can be moody and still answer a request as it did before.
 */
export const draw = (...texts: readonly string[]): number =>
  Number.parseInt(digest(...texts).slice(0, 12), 16) / 2 ** 48;

/** The texts as one short one. */
export const digest = (...texts: readonly string[]): string => hash("sha256", texts.join("\u0000"));

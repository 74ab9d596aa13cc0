import { Interruption } from "./interruption.ts";

/**
 * Pieces of work beside one another, awaited to the last, so that one which waits for a person does not cost the others
 * their results.
 *
 * @throws what stopped them, the most telling first: an end of the whole, a failure, or all they wait for.
 */
export async function together<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  const results: T[] = [];
  const reasons: unknown[] = [];
  for (const one of settled) {
    if (one.status === "fulfilled") results.push(one.value);
    else reasons.push(one.reason);
  }
  if (reasons.length === 0) return results;
  const interruptions = reasons.filter((reason) => reason instanceof Interruption);
  const end = interruptions.find(({ why }) => why !== "suspended");
  if (end !== undefined) throw end;
  if (interruptions.length < reasons.length) throw reasons.find((one) => !(one instanceof Interruption));
  throw Interruption.suspended(interruptions.flatMap(({ waiting }) => waiting).sort());
}

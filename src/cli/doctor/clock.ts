import type { Finding, findingsOn } from "./finding.ts";

/** Leases are judged by the clocks of those who ask: a second of a lease of fifteen is no harm. */
const mostApartMs = 1_000;

/** Asks a server, and compares its clock with this machine's. */
export async function clock<T extends { readonly now: number }>(
  about: ReturnType<typeof findingsOn>,
  ask: () => Promise<T>,
): Promise<{ readonly result: T; readonly finding: Finding }> {
  const before = Date.now();
  const result = await ask();
  const after = Date.now();
  // The answer is from some moment in between.
  const apartMs = Math.max(before - result.now, result.now - after, 0);
  const finding =
    apartMs > mostApartMs
      ? about.advice(
          `its clock and this machine's are ${(apartMs / 1_000).toFixed(1)} s apart`,
          "Let both follow a time server: leases are judged by the machines' clocks.",
        )
      : about.fine("its clock and this machine's agree");
  return { result, finding };
}

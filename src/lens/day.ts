/** Offsets of time zones are whole quarters of an hour: within one the day does not change. */
const quarterMs = 900_000;
const mostKept = 10_000;

/**
 * Tells the day of moments, as `"2026-11-25"`.
 *
 * @param timeZone an IANA name.
 */
export function dayIn(timeZone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const known = new Map<number, string>();
  return (ms) => {
    const quarter = Math.floor(ms / quarterMs);
    let day = known.get(quarter);
    if (day === undefined) {
      if (known.size >= mostKept) known.clear();
      day = format.format(ms); // Canada writes 2026-11-25
      known.set(quarter, day);
    }
    return day;
  };
}

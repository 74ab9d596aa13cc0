/** Money on screen. It comes as exact decimals of dollars, and is reckoned in integers of pico-dollars. */

const decimals = 12;

/** `"0.0042"` as pico-dollars. */
export function picoOf(usd: string): bigint {
  const sign = usd.startsWith("-") ? -1n : 1n;
  const [whole = "0", part = ""] = usd.replace("-", "").split(".");
  return sign * BigInt(whole + part.padEnd(decimals, "0").slice(0, decimals));
}

/** Pico-dollars as an exact decimal, without the sign of the dollar. */
export function decimalOf(pico: bigint): string {
  const digits = (pico < 0n ? -pico : pico).toString().padStart(decimals + 1, "0");
  const part = digits.slice(-decimals).replace(/0+$/, "");
  return `${pico < 0n ? "-" : ""}${digits.slice(0, -decimals)}${part === "" ? "" : `.${part}`}`;
}

/** For eyes, as in the terminal: four decimals from a cent on, else three significant digits, rounded up; cents are two digits. */
export function moneyText(usd: string): string {
  const pico = picoOf(usd);
  if (pico === 0n) return "$0";
  if (pico < 0n) return `-${moneyText(decimalOf(-pico))}`;
  const digits = pico.toString().length;
  const unit = pico >= 10_000_000_000n ? 100_000_000n : 10n ** BigInt(Math.max(0, digits - 3));
  const text = decimalOf(((pico + unit - 1n) / unit) * unit);
  return `$${/\.\d$/.test(text) ? `${text}0` : text}`;
}

/** Exact sums of decimals. */
export const sumUsd = (all: readonly string[]): string =>
  decimalOf(all.reduce((sum, usd) => sum + picoOf(usd), 0n));

/** How much of a whole, from 0 to 1, for the length of a bar; more than the whole is the whole. */
export function partOf(usd: string, whole: string): number {
  const all = picoOf(whole);
  if (all <= 0n) return 0;
  return Math.min(1, Math.max(0, Number((picoOf(usd) * 10_000n) / all) / 10_000));
}

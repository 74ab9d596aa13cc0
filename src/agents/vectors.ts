/**
 * Vectors as the journal holds them: every number exactly as the provider gave it, in a third to a half of the text that
 * JSON makes of it. Measured, in characters a number:
 *
 * | the provider writes | JSON | here |
 * | --- | --- | --- |
 * | 32-bit numbers in all their digits, `0.023064255714416504` | 21.1 | 5.3: four bytes |
 * | the same as short as they are told apart, `0.023064256` | 12.4 | 6.7: digits and places, five bytes |
 * | anything else | as JSON | as JSON |
 */

/** Vectors of `size` numbers each. */
export type PackedVectors =
  | { readonly size: number; readonly float32: Uint8Array }
  | {
      readonly size: number;
      /** Signed 32-bit integers, to be divided by ten to the power of their `places`. */
      readonly digits: Uint8Array;
      readonly places: Uint8Array;
    }
  | { readonly size: number; readonly numbers: readonly number[] };

/** @param vectors of one size each. */
export function packed(vectors: readonly (readonly number[])[]): PackedVectors {
  const size = vectors[0]?.length ?? 0;
  const numbers = vectors.flat();
  if (numbers.every((one) => Math.fround(one) === one)) return { size, float32: float32(numbers) };
  return { size, ...(decimals(numbers) ?? { numbers }) };
}

export function unpacked(of: PackedVectors): number[][] {
  const numbers = numbersOf(of);
  return Array.from({ length: of.size === 0 ? 0 : numbers.length / of.size }, (_, i) =>
    numbers.slice(i * of.size, (i + 1) * of.size),
  );
}

function numbersOf(of: PackedVectors): readonly number[] {
  if ("numbers" in of) return of.numbers;
  if ("float32" in of) {
    const view = viewOf(of.float32);
    return Array.from({ length: of.float32.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
  }
  const view = viewOf(of.digits);
  return Array.from(of.places, (places, i) => view.getInt32(i * 4, true) / (powers[places] ?? Number.NaN));
}

function float32(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 4);
  const view = viewOf(bytes);
  for (const [i, one] of numbers.entries()) view.setFloat32(i * 4, one, true);
  return bytes;
}

/** Powers of ten that a number holds exactly: dividing by one rounds as reading the decimal does. */
const powers = Array.from({ length: 23 }, (_, places) => Number(`1e${places}`));

/** Undefined when one of the numbers is not so short. */
function decimals(numbers: readonly number[]): { digits: Uint8Array; places: Uint8Array } | undefined {
  const places = new Uint8Array(numbers.length);
  const digits = new Uint8Array(numbers.length * 4);
  const view = viewOf(digits);
  for (const [i, one] of numbers.entries()) {
    const [mantissa = "", exponent = "0"] = String(one).split("e");
    const point = mantissa.indexOf(".");
    const behind = (point < 0 ? 0 : mantissa.length - point - 1) - Number(exponent);
    const whole = Number(mantissa.replace(".", ""));
    const power = powers[behind];
    if (power === undefined || (whole | 0) !== whole || !Object.is(whole / power, one)) return undefined;
    view.setInt32(i * 4, whole, true);
    places[i] = behind;
  }
  return { digits, places };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

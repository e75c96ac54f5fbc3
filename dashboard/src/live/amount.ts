/**
 * Exact money: decimal text to a count of millionths in a bigint, and back. Never a float in between.
 */

/** Decimal places of every stored amount. */
export const PLACES = 6;
const SCALE = 10n ** BigInt(PLACES);
const DECIMAL = /^(-?)(\d+)(?:\.(\d{1,6}))?$/;

/** Millionths of the amount written in `text`. Throws on anything but a plain decimal of at most six places. */
export function parseAmount(text: string): bigint {
  const parts = DECIMAL.exec(text);
  if (!parts) throw new RangeError(`not a decimal amount with at most six places: ${text}`);
  const [, sign, whole = "0", fraction = ""] = parts;
  const micros = BigInt(whole) * SCALE + BigInt(fraction.padEnd(PLACES, "0"));
  return sign === "-" ? -micros : micros;
}

/** The amount as decimal text with all six places, as the service writes it. */
export function amountText(micros: bigint): string {
  const sign = micros < 0n ? "-" : "";
  const size = micros < 0n ? -micros : micros;
  return `${sign}${size / SCALE}.${(size % SCALE).toString().padStart(PLACES, "0")}`;
}

/** How many decimal places the amount needs to be written exactly: 0 to 6. */
export function placesNeeded(micros: bigint): number {
  let rest = (micros < 0n ? -micros : micros) % SCALE;
  if (rest === 0n) return 0;
  let places = PLACES;
  while (rest % 10n === 0n) {
    rest /= 10n;
    places -= 1;
  }
  return places;
}

/** The quotient as a whole number, rounded half up (towards what is larger). `by` is positive. */
export function divided(amount: bigint, by: bigint): bigint {
  const doubled = 2n * amount + by;
  const floor = doubled / (2n * by);
  return doubled < 0n && doubled % (2n * by) !== 0n ? floor - 1n : floor;
}

/** The average of `count` amounts to the minor unit, rounded half up; null where there is none to take it of. */
export function averageOf(micros: bigint, count: number, minorUnits: number): bigint | null {
  if (count <= 0) return null;
  const unit = 10n ** BigInt(PLACES - Math.min(minorUnits, PLACES));
  return divided(micros, BigInt(count) * unit) * unit;
}

/**
 * The part of the whole in [0, 1] to four places, for bars and percentages; null where a share has no
 * meaning (a whole that is not positive, or a part below zero).
 */
export function shareOf(part: bigint, whole: bigint): number | null {
  if (whole <= 0n || part < 0n) return null;
  return Number((part * 10_000n) / whole) / 10_000;
}

/** Lossy, for pixels only: a chart may be off by a fraction of a pixel, a text may not. */
export function amountForPixels(micros: bigint): number {
  return Number(micros) / Number(SCALE);
}

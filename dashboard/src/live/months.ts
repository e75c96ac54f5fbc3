/** Months and years of one currency, as the period cuts them. Months are `YYYY-MM` text. */
import { addDays, rangeOf, within, type Range, type Span } from "./period";
import { NOTHING, plus, type Rows, type Sum } from "./totals";

export interface PartSum {
  /** `YYYY-MM`, or `YYYY`. */
  readonly part: string;
  /** What of it lies in the period. */
  readonly inside: Sum;
  /** All of it; null where that is not held. */
  readonly whole: Sum | null;
}

/**
 * Each month of one currency, oldest first: those that the period touches, and, where `months` is given, all others
 * too. `days` are the rows by day, `months` the rows by month of the same sales.
 */
export function monthsOf(days: Rows, months: Rows | null, currency: string, span: Span): PartSum[] {
  const inside = new Map<string, Sum>();
  for (const entry of days.entries()) {
    if (entry.currency !== currency || !within(entry.period, span)) continue;
    const month = entry.period.slice(0, 7);
    inside.set(month, plus(inside.get(month) ?? NOTHING, entry));
  }
  const whole = new Map<string, Sum>();
  for (const entry of months?.entries() ?? []) {
    if (entry.currency === currency) whole.set(entry.period, plus(whole.get(entry.period) ?? NOTHING, entry));
  }
  return [...new Set([...inside.keys(), ...whole.keys()])].sort().map((part) => ({
    part,
    inside: inside.get(part) ?? NOTHING,
    whole: months && (whole.get(part) ?? NOTHING),
  }));
}

/** The years of these months, oldest first. */
export function yearsOf(months: readonly PartSum[]): PartSum[] {
  const years = new Map<string, PartSum>();
  for (const { part, inside, whole } of months) {
    const year = part.slice(0, 4);
    const known = years.get(year);
    years.set(year, {
      part: year,
      inside: plus(known?.inside ?? NOTHING, inside),
      whole: whole && plus(known?.whole ?? NOTHING, whole),
    });
  }
  return [...years.values()];
}

/** The days of a month or of a year. */
export function rangeOfPart(part: string): Range {
  if (part.length === 4) return rangeOf(`${part}-01-01`, `${part}-12-31`);
  const first = `${part}-01`;
  const next = addDays(first, 31).slice(0, 7);
  return rangeOf(first, addDays(`${next}-01`, -1));
}

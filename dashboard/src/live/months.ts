/** Months and years of one currency, as the period cuts them. Months are `YYYY-MM` text. */
import { addDays, rangeOf, within, type Days, type Range, type Span } from "./period";
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

/** The days of a year, of a month, or a single one. */
export function daysOf(part: string): Days {
  if (part.length > 7) return { from: part, to: part };
  if (part.length === 4) return { from: `${part}-01-01`, to: `${part}-12-31` };
  const from = `${part}-01`;
  // The last day is the one before the first of the month that 31 days later falls in.
  return { from, to: addDays(`${addDays(from, 31).slice(0, 7)}-01`, -1) };
}

export function rangeOfPart(part: string): Range {
  const { from, to } = daysOf(part);
  return rangeOf(from, to);
}

/** Those of its days that lie within the span. */
export function daysInside(part: string, span: Span): Days {
  const { from, to } = daysOf(part);
  return {
    from: span.from !== null && span.from > from ? span.from : from,
    to: span.to !== null && span.to < to ? span.to : to,
  };
}

/** A year of days in weeks, for the heat map: how dark each day is. */
import { addDays, dayMillis, daysBetween } from "./period";
import type { PeriodSum } from "./totals";

/** Shades beside that of a day without sales. */
export const SHADES = 5;

export interface CalendarDay {
  readonly day: string;
  /** The column, from 0, and the row: the day of the week from Monday, 0, to Sunday, 6. */
  readonly week: number;
  readonly weekday: number;
}

/** Monday is 0. The first of January 1970 was a Thursday. */
const weekdayOf = (day: string): number => (Math.floor(dayMillis(day) / 86_400_000) + 3) % 7;

/** Every day of a year with its place; weeks begin on Monday, as in both languages of the page. */
export function calendarOf(year: string): CalendarDay[] {
  const first = `${year}-01-01`;
  const lead = weekdayOf(first);
  return Array.from({ length: daysBetween(first, `${year}-12-31`) }, (_, at) => ({
    day: addDays(first, at),
    week: Math.floor((at + lead) / 7),
    weekday: (at + lead) % 7,
  }));
}

/**
 * The least totals of the shades 1 to SHADES: a fifth of the days with sales each, so that one huge day does not
 * pale all others.
 */
export function shadesOf(days: readonly PeriodSum[]): readonly bigint[] {
  const sorted = days
    .filter(({ micros }) => micros > 0n)
    .map(({ micros }) => micros)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return Array.from({ length: SHADES }, (_, shade) => sorted[Math.floor((shade * sorted.length) / SHADES)] ?? 0n);
}

/** 0 for a day without sales, else its shade. */
export function shadeOf(micros: bigint, shades: readonly bigint[]): number {
  if (micros <= 0n) return 0;
  return Math.max(1, shades.filter((least) => micros >= least).length);
}

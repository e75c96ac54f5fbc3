/** The last hour of the log, minute by minute. Minutes are ISO moments in UTC throughout: they compare as text. */
import { NOTHING, type PeriodSum, type Rows } from "./totals";

/** How many minutes are shown. */
export const MINUTES = 60;
const MINUTE_MS = 60_000;

const minuteAt = (millis: number): string => new Date(millis).toISOString();
const floor = (millis: number): number => Math.floor(millis / MINUTE_MS) * MINUTE_MS;

/** The first of the minutes that end with the newest record's; null where it has no time. */
export const firstMinute = (newestRecord: number | null): string | null =>
  newestRecord === null ? null : minuteAt(floor(newestRecord) - (MINUTES - 1) * MINUTE_MS);

/**
 * Each minute of one currency, oldest first, up to that of the newest record. Minutes without orders are there with
 * nothing. Where no record has a time, the newest order's minute is the last; only there, as one order by a fast clock
 * would leave all others behind. None where no minute is known.
 */
export function perMinute(table: Rows, currency: string, newestRecord: number | null): PeriodSum[] {
  let last = newestRecord === null ? Number.NEGATIVE_INFINITY : floor(newestRecord);
  const held = new Map<string, PeriodSum>();
  for (const entry of table.entries()) {
    // The axis is the same for all currencies, so that switching moves nothing.
    if (newestRecord === null) last = Math.max(last, Date.parse(entry.period));
    if (entry.currency === currency) held.set(entry.period, entry);
  }
  if (!Number.isFinite(last)) return [];
  return Array.from({ length: MINUTES }, (_, index) => {
    const period = minuteAt(last - (MINUTES - 1 - index) * MINUTE_MS);
    return held.get(period) ?? { period, ...NOTHING };
  });
}

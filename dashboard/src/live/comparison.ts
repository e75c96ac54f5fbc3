/**
 * What a period is held against: the one before it, as far as both have come. A day that is not over is never
 * compared with a whole one, and a day is over once sales of a later one were counted: that the clock has passed it
 * says nothing of a job that stood still.
 */
import { divided } from "./amount";
import { addDays, dayIn, daysBetween, spanBefore, spanOf, within, type Days, type Period } from "./period";
import { NOTHING, plus, type Rows, type Sum } from "./totals";

/** Which days are compared. */
export interface Comparison {
  readonly now: Days;
  readonly before: Days;
  /** The clock time (`14:32`) until which the newest day of both counts; null where all days are over. */
  readonly clock: string | null;
}

/**
 * The days of a period that are compared, and those that they are compared with; null where there are none.
 * `counted` is the shop's day up to which sales were counted, which is not over. `clock` is the clock time of that day up
 * to which they were, where minutes tell how far the day compared with had come by then: a single day that is not over is
 * compared until that time. Without it, the days that are not over are left out on both sides.
 */
export function comparisonOf(period: Period, anchor: string, counted: string, clock: string | null): Comparison | null {
  const { from, to } = spanOf(period, anchor);
  const before = spanBefore(period, anchor);
  if (from === null || to === null || before === null) return null;
  const open = to >= counted ? daysBetween(counted, to) : 0;
  if (open === 0) return { now: { from, to }, before, clock: null };
  if (clock !== null && from === to && to === counted) return { now: { from, to }, before, clock };
  const over = { from, to: addDays(to, -open) };
  if (over.to < over.from) return null;
  // Of a month or a year so far the same days of the one before; of all others each day keeps its counterpart.
  const counterpart =
    period === "month" || period === "year"
      ? spanBefore(period, over.to)
      : { from: before.from, to: addDays(before.to, -open) };
  return counterpart && { now: over, before: counterpart, clock: null };
}

/** How a number moved: in thousandths of what it was; `new` where there was nothing; null where that has no meaning. */
export type Change = number | "new" | null;

export function changeOf(now: bigint, before: bigint): Change {
  if (before === 0n) return now > 0n ? "new" : null;
  return before < 0n ? null : Number(divided((now - before) * 1_000n, before));
}

/** How the average order moved, of the exact fractions and not of what they round to. */
export function changeOfAverage(now: Sum, before: Sum): Change {
  if (now.orders <= 0) return null;
  if (before.orders <= 0) return changeOf(now.micros, 0n);
  return changeOf(now.micros * BigInt(before.orders), before.micros * BigInt(now.orders));
}

const MINUTE_MS = 60_000;

/** The clock time at an instant (ms), by the clocks of `zone`, or of this machine where that is null: `14:32`. */
export function clockIn(zone: string | null, millis: number): string {
  const parts = new Intl.DateTimeFormat("en", {
    ...(zone === null ? {} : { timeZone: zone }),
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(new Date(millis));
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "00";
  return `${part("hour")}:${part("minute")}`;
}

/** The instant (ms) at which the clocks of `zone` show this day and time; of two, where they were set back, one. */
export function instantAt(zone: string | null, day: string, clock: string): number {
  const shown = Date.parse(`${day}T${clock}:00Z`);
  const ahead = (millis: number) =>
    Date.parse(`${dayIn(zone, new Date(millis))}T${clockIn(zone, millis)}:00Z`) - Math.floor(millis / MINUTE_MS) * MINUTE_MS;
  const near = shown - ahead(shown);
  return shown - ahead(near);
}

/** Minutes tell of a day if at most one order in this many was counted in a minute of another day. */
const ELSEWHERE = 50;

/**
 * What was sold of a day from a clock time on, by currency: to be taken off the day's totals. `minutes` count orders
 * when they came, `days` by the day that they name, so this is null where the two do not tell of the same orders: the
 * minutes of that day are gone, or orders of other days came in it.
 */
export function soldFrom(
  minutes: Rows,
  days: Rows,
  zone: string | null,
  day: string,
  clock: string,
): ReadonlyMap<string, Sum> | null {
  const begin = instantAt(zone, day, "00:00");
  const end = instantAt(zone, addDays(day, 1), "00:00");
  const cut = instantAt(zone, day, clock);
  const later = new Map<string, Sum>();
  let orders = 0;
  for (const entry of minutes.entries()) {
    const at = Date.parse(entry.period);
    if (at < begin || at >= end) continue;
    orders += entry.orders;
    if (at >= cut) later.set(entry.currency, plus(later.get(entry.currency) ?? NOTHING, entry));
  }
  const whole = new Map<string, Sum>();
  let counted = 0;
  for (const entry of days.entries()) {
    if (entry.period !== day) continue;
    counted += entry.orders;
    whole.set(entry.currency, plus(whole.get(entry.currency) ?? NOTHING, entry));
  }
  if (Math.abs(orders - counted) * ELSEWHERE > counted) return null;
  for (const [currency, sum] of later) {
    const all = whole.get(currency) ?? NOTHING;
    if (sum.orders > all.orders || sum.units > all.units) return null;
  }
  return later;
}

/** The sum of each currency over these days, less what is taken off. */
export function sumsOver(rows: Rows, days: Days, off: ReadonlyMap<string, Sum> | null): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const entry of rows.entries()) {
    if (within(entry.period, days)) sums.set(entry.currency, plus(sums.get(entry.currency) ?? NOTHING, entry));
  }
  for (const [currency, less] of off ?? []) {
    const sum = sums.get(currency) ?? NOTHING;
    sums.set(currency, {
      micros: sum.micros - less.micros,
      orders: sum.orders - less.orders,
      units: sum.units - less.units,
    });
  }
  return sums;
}

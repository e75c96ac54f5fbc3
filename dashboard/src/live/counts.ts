/** Orders and units over all currencies: counts may be added, money may not. */
import { within, type Span } from "./period";
import type { Rows } from "./totals";

export interface DayCounts {
  readonly day: string;
  readonly orders: number;
  readonly units: number;
}

/** The counts of each day that has any, oldest first. */
export function countsPerDay(rows: Rows, span: Span): DayCounts[] {
  const days = new Map<string, { orders: number; units: number }>();
  for (const { period, orders, units } of rows.entries()) {
    if (!within(period, span)) continue;
    const known = days.get(period) ?? { orders: 0, units: 0 };
    known.orders += orders;
    known.units += units;
    days.set(period, known);
  }
  return [...days].map(([day, counts]) => ({ day, ...counts })).sort((a, b) => (a.day < b.day ? -1 : 1));
}

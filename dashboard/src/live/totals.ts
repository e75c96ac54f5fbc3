/** Exact sums over a table's rows. Never a sum across currencies. */
import { addDays, daysBetween, within, type Days, type Span } from "./period";
import type { Entry } from "./table";

/** What is summed: a table, or a part of one. */
export interface Rows {
  entries(): Iterable<Entry>;
}

export interface Sum {
  readonly micros: bigint;
  readonly orders: number;
  readonly units: number;
}

export interface LabelledSum extends Sum {
  readonly label: string;
}

export interface PeriodSum extends Sum {
  /** ISO day, `YYYY-MM`, or the ISO moment of a minute. */
  readonly period: string;
}

export const NOTHING: Sum = { micros: 0n, orders: 0, units: 0 };

export const plus = (sum: Sum, entry: Sum): Sum => ({
  micros: sum.micros + entry.micros,
  orders: sum.orders + entry.orders,
  units: sum.units + entry.units,
});

/** The sum of each currency over the span. */
export function perCurrency(table: Rows, span: Span): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const entry of table.entries()) {
    if (!within(entry.period, span)) continue;
    sums.set(entry.currency, plus(sums.get(entry.currency) ?? NOTHING, entry));
  }
  return sums;
}

/** Orders and units over all currencies: counts may be added, money may not. */
export function counted(sums: ReadonlyMap<string, Sum>): { orders: number; units: number } {
  let orders = 0;
  let units = 0;
  for (const sum of sums.values()) {
    orders += sum.orders;
    units += sum.units;
  }
  return { orders, units };
}

/** Categories or payment methods of one currency over the span, largest total first. */
export function perLabel(
  table: Rows,
  currency: string,
  span: Span,
  labelOf: (entry: Entry) => string = ({ label }) => label,
): LabelledSum[] {
  const sums = new Map<string, Sum>();
  for (const entry of table.entries()) {
    if (entry.currency !== currency || !within(entry.period, span)) continue;
    const label = labelOf(entry);
    sums.set(label, plus(sums.get(label) ?? NOTHING, entry));
  }
  return [...sums]
    .map(([label, sum]) => ({ label, ...sum }))
    .sort((a, b) => (a.micros === b.micros ? (a.label < b.label ? -1 : 1) : a.micros > b.micros ? -1 : 1));
}

/** The best sellers of a period in one currency, the best first: the service ranks them. */
export function bestSellers(table: Rows, currency: string, period: string): LabelledSum[] {
  return [...table.entries()]
    .filter((entry) => entry.currency === currency && entry.period === period)
    .sort((a, b) => Number(a.label) - Number(b.label))
    .map(({ product, micros, orders, units }) => ({ label: product, micros, orders, units }));
}

/** The first and the last day of the span; where it is open, of the rows, and to the anchor at least. Null without rows. */
export function boundsOf(table: Rows, { from, to }: Span, anchor: string): Days | null {
  if (from !== null && to !== null) return { from, to };
  let first = from ?? "";
  let last = to ?? anchor;
  for (const { period } of table.entries()) {
    if (from === null && (first === "" || period < first)) first = period;
    if (to === null && period > last) last = period;
  }
  return first === "" ? null : { from: first, to: last };
}

/** Beyond this many days, days without sales are left out rather than drawn as nothing. */
const DENSE_DAYS = 1_500;

/** Each day of one currency, oldest first. Days without sales are there with nothing. */
export function perDay(table: Rows, currency: string, span: Span, anchor: string): PeriodSum[] {
  // The axis is the same for all currencies, so that switching moves nothing.
  const bounds = boundsOf(table, span, anchor);
  if (!bounds) return [];
  const held = new Map<string, Sum>();
  for (const entry of table.entries()) {
    if (entry.currency !== currency || !within(entry.period, span)) continue;
    held.set(entry.period, plus(held.get(entry.period) ?? NOTHING, entry));
  }
  const length = daysBetween(bounds.from, bounds.to);
  if (length > DENSE_DAYS) return inOrder(held);
  return Array.from({ length }, (_, index) => {
    const period = addDays(bounds.from, index);
    return { period, ...(held.get(period) ?? NOTHING) };
  });
}

const inOrder = (sums: ReadonlyMap<string, Sum>): PeriodSum[] =>
  [...sums]
    .map(([period, sum]) => ({ period, ...sum }))
    .sort((a, b) => (a.period < b.period ? -1 : 1));

/**
 * What a number on the page is: which rows of which view it sums up, as text on its element. With it, a test computes
 * every number of the page once more, in plain SQL (`e2e/numbers.test.ts`, `tests/page`). Other digits say why they are
 * none of these (`unmarked`).
 */
import type { View } from "../api/types";
import { amountText } from "./amount";

/** `sources`: what became of the records, over all partitions. `orders`: single ones, by topic and id. */
export type Marked = View | "ratings_per_product" | "product_totals" | "orders" | "sources";

/** Which of the view's rows: those from a day to a day, of one currency, and so on. What is null narrows nothing. */
export interface Rows {
  readonly from?: string | null;
  readonly to?: string | null;
  readonly currency?: string | null;
  readonly category?: string | null;
  readonly payment_method?: string | null;
  readonly product?: string | null;
  /** Of months: `2026-11`, or a year: `2026`. */
  readonly month?: string | null;
  /** Of minutes: the ISO moment. */
  readonly minute?: string | null;
  /** Of best sellers. */
  readonly period?: string | null;
  readonly rank?: number | null;
  /** Of one order. */
  readonly topic?: string | null;
  readonly order_id?: string | null;
}

/** `sales_per_day.orders?from=2026-11-01&to=2026-11-22&currency=EUR`: the sum of the column over these rows. */
export function markOf(view: Marked, column: string, rows: Rows = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rows) as [string, string | number | null | undefined][]) {
    if (value !== null && value !== undefined) query.set(name, String(value));
  }
  return query.size > 0 ? `${view}.${column}?${query.toString()}` : `${view}.${column}`;
}

/** Of the column `average`: the total, by how many orders it is divided, and what that is rounded to. */
export const exactAverage = (micros: bigint, orders: number, average: bigint): string =>
  `${amountText(micros)} / ${String(orders)} = ${amountText(average)}`;

/**
 * Why digits carry no mark. A `share` and a `change` follow from numbers that do; a
 * `moment` and an `age` are of clocks; a `place` is one in the log, an `epoch` is in `data-epoch`; `rows` says how many a
 * list shows; a `correction` tells of versions that no view has.
 */
export type Unmarked = "share" | "change" | "moment" | "age" | "place" | "epoch" | "rows" | "correction";

/** The attribute of such digits' element. */
export const unmarked = (why: Unmarked): { "data-unmarked": Unmarked } => ({ "data-unmarked": why });

/** A number as SQL gives it: amounts, which are bigints of millionths, with all six places. */
export const exactText = (value: bigint | number | string): string =>
  typeof value === "bigint" ? amountText(value) : String(value);

/** The attributes of a marked number's element; none where it is not marked. */
export const marks = (
  of: string | undefined,
  value: bigint | number | string,
): { "data-number"?: string; "data-exact"?: string } =>
  of === undefined ? {} : { "data-number": of, "data-exact": exactText(value) };

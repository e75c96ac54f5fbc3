/**
 * Short names for what the service says, all taken from its own description (`npm run types` makes `schema.ts`
 * of `openapi.json`). Amounts are decimal strings with six places, never numbers; dates are ISO text.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** The key columns of each view of totals. */
export interface ViewKeys {
  sales_per_day: Schemas["SalesPerDayKey"];
  sales_per_category: Schemas["SalesPerCategoryKey"];
  sales_per_month: Schemas["SalesPerMonthKey"];
  sales_per_payment_method: Schemas["SalesPerPaymentMethodKey"];
  top_products: Schemas["TopProductsKey"];
  orders_per_minute: Schemas["OrdersPerMinuteKey"];
}
/** The rows of each: the key columns, and the totals. */
export interface ViewRows {
  sales_per_day: Schemas["SalesPerDayRow"];
  sales_per_category: Schemas["SalesPerCategoryRow"];
  sales_per_month: Schemas["SalesPerMonthRow"];
  sales_per_payment_method: Schemas["SalesPerPaymentMethodRow"];
  top_products: Schemas["TopProductsRow"];
  orders_per_minute: Schemas["OrdersPerMinuteRow"];
}
/** Views of totals: money, orders and units. */
export type View = keyof ViewKeys;
/** Every view that the stream tells of. */
export type Streamed = View | "products" | "ratings_per_product";

export interface Page<V extends View = View> {
  readonly epoch: number;
  readonly rows: ViewRows[V][];
  readonly next_cursor: string | null;
}

/** Which part of a view a page is of. */
export interface PageParameters {
  /** The first day, month or minute, inclusive. */
  readonly from?: string | null;
  /** Of best sellers: `all`, a month or a day. */
  readonly period?: string;
  readonly limit: number;
  readonly cursor?: string | null;
}

export type Listing = Schemas["ProductsRow"];
export type Rating = Schemas["RatingsPerProductRow"];
export type Ratings = Schemas["RatingsPerProductPage"];
export type KeptView = Schemas["KeptView"];
export type Summary = Schemas["Summary"];
export type Freshness = Schemas["Freshness"];
export type Audit = Schemas["Audit"];
export type Proofs = Schemas["Proofs"];
export type OrderVersion = Schemas["Counted"];
export type Correction = Schemas["CorrectionRow"];
export type Corrections = Schemas["CorrectionsPage"];
export type Hello = Schemas["Hello"];
export type Reset = Schemas["Reset"];
export type Contact = Schemas["Contact"];
export type Changes = Schemas["Changes"];
export type Fault = Schemas["Error"];

/** Absolute counters over all partitions. */
export interface Counters {
  readonly read: number;
  readonly duplicates: number;
  readonly corrections: number;
  readonly cancellations: number;
  readonly rejected: number;
}

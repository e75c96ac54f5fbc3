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
  sales_per_product: Schemas["SalesPerProductKey"];
  sales_facts: Schemas["SalesFactsKey"];
}
/** The rows of each: the key columns, and the totals. */
export interface ViewRows {
  sales_per_day: Schemas["SalesPerDayRow"];
  sales_per_category: Schemas["SalesPerCategoryRow"];
  sales_per_month: Schemas["SalesPerMonthRow"];
  sales_per_payment_method: Schemas["SalesPerPaymentMethodRow"];
  top_products: Schemas["TopProductsRow"];
  orders_per_minute: Schemas["OrdersPerMinuteRow"];
  sales_per_product: Schemas["SalesPerProductRow"];
  sales_facts: Schemas["SalesFactsRow"];
}
/** Views of totals: money, orders and units. */
export type View = keyof ViewKeys;
/** Those that are too large to be held whole: the page holds what it narrows to. */
export type Sliced = "sales_per_product" | "sales_facts";
/** Every view that the page knows of. */
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
  readonly category?: string | null;
  readonly payment_method?: string | null;
  readonly product?: string | null;
  readonly limit: number;
  readonly cursor?: string | null;
}

export type Listing = Schemas["ProductsRow"];
/** A page of the listings. */
export type Catalogue = Schemas["ProductsPage"];
export type Rating = Schemas["RatingsPerProductRow"];
export type Ratings = Schemas["RatingsPerProductPage"];
export type KeptView = Schemas["KeptView"];
export type Summary = Schemas["Summary"];
export type Freshness = Schemas["Freshness"];
export type Audit = Schemas["Audit"];
export type DayProof = Schemas["DayProof"];
export type Proofs = Schemas["Proofs"];
export type OrderVersion = Schemas["Counted"];
export type Correction = Schemas["CorrectionRow"];
export type Corrections = Schemas["CorrectionsPage"];
export type Rejected = Schemas["RejectedRow"];
export type Hello = Schemas["Hello"];
export type Reset = Schemas["Reset"];
export type Contact = Schemas["Contact"];
/** All rows of one product on the days that changed. */
export type ProductChanges = Schemas["ProductDays"];
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

export type Order = Schemas["OrdersRow"];
export type ProductTotal = Schemas["ProductTotalsRow"];
export type Session = Schemas["Session"];

/** The lists that the service pages, searches and sorts. */
export interface ListRows {
  orders: Order;
  corrections: Correction;
  rejected: Rejected;
  product_totals: ProductTotal;
}
export type List = keyof ListRows;

export interface ListPage<L extends List = List> {
  readonly epoch: number;
  readonly rows: readonly ListRows[L][];
  readonly next_cursor: string | null;
}

/** Which part of a list, and in which order; null is not said. */
export type ListParameters = Readonly<
  Partial<
    Record<
      | "from"
      | "to"
      | "currency"
      | "category"
      | "payment_method"
      | "product"
      | "search"
      | "reason"
      | "sort"
      | "order",
      string | null
    >
  >
>;

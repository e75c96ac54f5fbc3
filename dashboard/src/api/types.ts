/**
 * Short names for what the service says, all taken from its own description (`npm run types` makes `schema.ts`
 * of `openapi.json`). Amounts are decimal strings with six places, never numbers; dates are ISO text.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** Each view's key columns. */
export interface ViewKeys {
  sales_per_day: Schemas["SalesPerDayKey"];
  sales_per_category: Schemas["SalesPerCategoryKey"];
  sales_per_month: Schemas["SalesPerMonthKey"];
  sales_per_payment_method: Schemas["SalesPerPaymentMethodKey"];
}
/** Each view's rows: the key columns, and the totals. */
export interface ViewRows {
  sales_per_day: Schemas["SalesPerDayRow"];
  sales_per_category: Schemas["SalesPerCategoryRow"];
  sales_per_month: Schemas["SalesPerMonthRow"];
  sales_per_payment_method: Schemas["SalesPerPaymentMethodRow"];
}
export type View = keyof ViewKeys;

export interface Page<V extends View = View> {
  readonly epoch: number;
  readonly rows: ViewRows[V][];
  readonly next_cursor: string | null;
}

export type Summary = Schemas["Summary"];
export type Freshness = Schemas["Freshness"];
export type OrderVersion = Schemas["Counted"];
export type Correction = Schemas["CorrectionRow"];
export type Corrections = Schemas["CorrectionsPage"];
export type Hello = Schemas["Hello"];
export type Reset = Schemas["Reset"];
export type Contact = Schemas["Contact"];
/** `newest_record_at`: the log's newest timestamp at this commit, where the service tells it. */
export type Changes = Schemas["Changes"] & { readonly newest_record_at?: string | null };
export type Fault = Schemas["Error"];

/** Absolute counters over all partitions. */
export interface Counters {
  readonly read: number;
  readonly duplicates: number;
  readonly corrections: number;
  readonly cancellations: number;
  readonly rejected: number;
}

/**
 * One view's rows, keyed by its key columns. Rows are absolute values, so the newest epoch wins, in
 * whatever order pages and changes arrive.
 */
import type { View, ViewKeys, ViewRows } from "../api/types";
import { parseAmount } from "./amount";

export const VIEWS = [
  "sales_per_day",
  "sales_per_category",
  "sales_per_month",
  "sales_per_payment_method",
  "top_products",
  "orders_per_minute",
] as const satisfies readonly View[];

/** A row as the page computes with it. */
export interface Entry {
  /** ISO day, `YYYY-MM` for months, an ISO moment for minutes, or `all`: orders as text. */
  readonly period: string;
  /** The category, the payment method or the rank; empty where the view has none of them. */
  readonly label: string;
  /** Who holds the rank among the best sellers; empty in other views. */
  readonly product: string;
  readonly currency: string;
  readonly micros: bigint;
  readonly orders: number;
  readonly units: number;
  readonly epoch: number;
}

interface Place {
  period: string;
  label: string;
  currency: string;
}

/** Where a view's key columns stand in an entry. */
const PLACE: { [V in View]: (key: ViewKeys[V]) => Place } = {
  sales_per_day: (key) => ({ period: key.order_date, label: "", currency: key.currency }),
  sales_per_category: (key) => ({
    period: key.order_date,
    label: key.category,
    currency: key.currency,
  }),
  sales_per_month: (key) => ({
    period: `${String(key.year).padStart(4, "0")}-${String(key.month).padStart(2, "0")}`,
    label: "",
    currency: key.currency,
  }),
  sales_per_payment_method: (key) => ({
    period: key.order_date,
    label: key.payment_method,
    currency: key.currency,
  }),
  top_products: (key) => ({
    period: key.period,
    label: String(key.rank),
    currency: key.currency,
  }),
  orders_per_minute: (key) => ({ period: key.minute, label: "", currency: key.currency }),
};

const productOf = (row: object): string =>
  "product" in row && typeof row.product === "string" ? row.product : "";

/** A label is free text, so it comes last, and the length of the code before it is told: no two rows share a key. */
const keyOf = ({ period, currency, label }: Place): string =>
  `${period} ${currency.length} ${currency} ${label}`;

export class Table<V extends View = View> {
  readonly #rows = new Map<string, Entry>();

  /** `from`: rows of earlier periods are not held; `only`: nor are those of others than these. Null holds all. */
  constructor(
    readonly view: V,
    readonly from: string | null,
    readonly only: ReadonlySet<string> | null = null,
  ) {}

  get size(): number {
    return this.#rows.size;
  }

  entries(): Iterable<Entry> {
    return this.#rows.values();
  }

  holds(period: string): boolean {
    return (this.from === null || period >= this.from) && (this.only === null || this.only.has(period));
  }

  /** Takes the row unless a newer one is held. True if that changed anything. */
  put(row: ViewRows[V]): boolean {
    const place = PLACE[this.view](row);
    if (!this.holds(place.period)) return false;
    const key = keyOf(place);
    const held = this.#rows.get(key);
    if (held && held.epoch >= row.epoch) return false;
    this.#rows.set(key, {
      ...place,
      product: productOf(row),
      micros: parseAmount(row.total_sales),
      orders: row.orders,
      units: row.units,
      epoch: row.epoch,
    });
    return true;
  }

  /** Deletes the row as of `epoch`, unless one from after it is held. True if that changed anything. */
  remove(key: ViewKeys[V], epoch: number): boolean {
    const text = keyOf(PLACE[this.view](key));
    const held = this.#rows.get(text);
    if (!held || held.epoch > epoch) return false;
    return this.#rows.delete(text);
  }
}

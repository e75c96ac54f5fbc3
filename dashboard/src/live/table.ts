/**
 * One view's rows, keyed by its key columns. Rows are absolute values, so the newest epoch wins, in
 * whatever order pages and changes arrive.
 */
import type { Sliced, View, ViewKeys, ViewRows } from "../api/types";
import { parseAmount } from "./amount";
import { WIDE, type Narrowing } from "./holding";

/** Those that the page holds whatever it narrows to. */
export const VIEWS = [
  "sales_per_day",
  "sales_per_category",
  "sales_per_month",
  "sales_per_payment_method",
  "top_products",
  "orders_per_minute",
] as const satisfies readonly View[];
export type Whole = Exclude<View, Sliced>;

/** A row as the page computes with it. */
export interface Entry {
  /** ISO day, `YYYY-MM` for months, an ISO moment for minutes, or `all`: orders as text. */
  readonly period: string;
  /** What its view tells apart beside all else: the category, the payment method, the product, the rank; or nothing. */
  readonly label: string;
  /** Whose row it is, or who holds the rank among the best sellers; empty in other views. */
  readonly product: string;
  /** Empty in views that do not tell categories, or payment methods, apart. */
  readonly category: string;
  readonly method: string;
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
  product: string;
  category: string;
  method: string;
}

const NOWHERE: Place = { period: "", label: "", currency: "", product: "", category: "", method: "" };

const place = (part: Partial<Place>): Place => ({ ...NOWHERE, ...part });

/** Where a view's key columns stand in an entry. */
const PLACE: { [V in View]: (key: ViewKeys[V]) => Place } = {
  sales_per_day: ({ order_date, currency }) => place({ period: order_date, currency }),
  sales_per_category: ({ order_date, category, currency }) =>
    place({ period: order_date, currency, category, label: category }),
  sales_per_month: ({ year, month, currency }) =>
    place({ period: `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}`, currency }),
  sales_per_payment_method: ({ order_date, payment_method, currency }) =>
    place({ period: order_date, currency, method: payment_method, label: payment_method }),
  top_products: ({ period, rank, currency }) => place({ period, currency, label: String(rank) }),
  orders_per_minute: ({ minute, currency }) => place({ period: minute, currency }),
  sales_per_product: ({ order_date, product, currency }) =>
    place({ period: order_date, currency, product, label: product }),
  sales_facts: ({ order_date, category, payment_method, currency }) =>
    place({ period: order_date, currency, category, method: payment_method, label: payment_method }),
};

const productOf = (row: object): string =>
  "product" in row && typeof row.product === "string" ? row.product : "";

/** Texts are free, so the length of each but the last is told: no two rows share a key. */
const keyOf = ({ period, currency, category, label }: Place): string =>
  `${period} ${currency.length} ${currency} ${category.length} ${category} ${label}`;

export class Table<V extends View = View> {
  readonly #rows = new Map<string, Entry>();
  #only: ReadonlySet<string> | null;

  /**
   * `from`: rows of earlier periods are not held; `only`: nor are those of others than these; null holds all.
   * `by`: nor are rows of others than what it narrows to.
   */
  constructor(
    readonly view: V,
    readonly from: string | null,
    only: ReadonlySet<string> | null = null,
    readonly by: Narrowing = WIDE,
  ) {
    this.#only = only;
  }

  get size(): number {
    return this.#rows.size;
  }

  entries(): Iterable<Entry> {
    return this.#rows.values();
  }

  holds(period: string): boolean {
    return (this.from === null || period >= this.from) && (this.#only === null || this.#only.has(period));
  }

  /** From now on these periods are held, and no others. To be called where no row of the new ones is missed. */
  keepOnly(periods: ReadonlySet<string>): void {
    this.#only = periods;
    for (const [key, { period }] of this.#rows) if (!periods.has(period)) this.#rows.delete(key);
  }

  /** Takes the row unless a newer one is held. True if that changed anything. */
  put(row: ViewRows[V]): boolean {
    const at = PLACE[this.view](row);
    if (!this.holds(at.period) || !this.#narrowsTo(at)) return false;
    const key = keyOf(at);
    const held = this.#rows.get(key);
    if (held && held.epoch >= row.epoch) return false;
    this.#rows.set(key, {
      ...at,
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

  /**
   * These are all rows of these periods as of `epoch`: those that are not among them go, unless they are from after
   * it. True if that changed anything.
   */
  replace(periods: ReadonlySet<string>, rows: readonly ViewRows[V][], epoch: number): boolean {
    const there = new Set(rows.map((row) => keyOf(PLACE[this.view](row))));
    let touched = false;
    for (const [key, entry] of this.#rows) {
      if (!periods.has(entry.period) || entry.epoch > epoch || there.has(key)) continue;
      touched = this.#rows.delete(key) || touched;
    }
    for (const row of rows) touched = this.put(row) || touched;
    return touched;
  }

  #narrowsTo({ category, method, product }: Place): boolean {
    const { category: one, payment_method: another, product: third } = this.by;
    return (
      (one === null || category === one) && (another === null || method === another) && (third === null || product === third)
    );
  }
}

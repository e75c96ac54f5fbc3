/**
 * What the service says, by its contract. Amounts are decimal strings with six places, never numbers;
 * counts are integers; dates are ISO text.
 */

export interface TotalColumns {
  total_sales: string;
  orders: number;
  units: number;
  /** The epoch that last changed this row. */
  epoch: number;
}

export interface DayKey {
  order_date: string;
  currency: string;
}
export interface CategoryKey {
  order_date: string;
  category: string;
  currency: string;
}
export interface MonthKey {
  year: number;
  month: number;
  currency: string;
}
export interface PaymentMethodKey {
  order_date: string;
  payment_method: string;
  currency: string;
}

/** Each view's key columns. */
export interface ViewKeys {
  sales_per_day: DayKey;
  sales_per_category: CategoryKey;
  sales_per_month: MonthKey;
  sales_per_payment_method: PaymentMethodKey;
}
export type View = keyof ViewKeys;
export type ViewRow<V extends View = View> = ViewKeys[V] & TotalColumns;

export interface Page<V extends View = View> {
  epoch: number;
  rows: ViewRow<V>[];
  next_cursor: string | null;
}

export interface Summary {
  epoch: number;
  currencies: {
    currency: string;
    minor_units: number;
    total_sales: string;
    orders: number;
    units: number;
  }[];
  orders: number;
  units: number;
  first_day: string | null;
  last_day: string | null;
  corrections: number;
  cancellations: number;
  duplicates: number;
  rejected: number;
  read: number;
}

export interface Freshness {
  epoch: number;
  committed_at: string | null;
  age_seconds: number | null;
  newest_record_at: string | null;
}

export interface OrderVersion {
  order_date: string;
  category: string;
  payment_method: string;
  currency: string;
  amount: string;
  units: number;
}

export interface Correction {
  topic: string;
  partition: number;
  offset: number;
  order_id: string;
  why: "correction" | "cancellation";
  was: OrderVersion | null;
  now: OrderVersion | null;
  epoch: number;
}

export interface Corrections {
  epoch: number;
  rows: Correction[];
  next_cursor: string | null;
}

/** Absolute counters over all partitions. */
export interface Counters {
  read: number;
  duplicates: number;
  corrections: number;
  cancellations: number;
  rejected: number;
}

export interface Hello {
  epoch: number;
  committed_at: string | null;
}

/** The rows that one epoch, or several merged ones, changed. Views without changes are absent. */
export interface Changes {
  epoch: number;
  committed_at: string | null;
  /** The log's newest timestamp at this commit, where the service says it. */
  newest_record_at?: string | null;
  changed?: { [V in View]?: ViewRow<V>[] };
  removed?: { [V in View]?: ViewKeys[V][] };
  sources?: Partial<Counters>;
}

export interface Reset {
  epoch: number;
}

export interface ApiFault {
  error: { code: string; message: string; hint?: string | null };
}

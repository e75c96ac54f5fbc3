// @ts-check
/**
 * A store of totals in memory, for tests alone: commits, absolute rows with epochs, and the removals that a
 * resuming feed needs. It computes its views from orders, so a test can compare what the page shows with it.
 *
 * @typedef {{ id: string, day: string, category: string, payment_method: string, currency: string,
 *   micros: bigint, units: number }} Order
 * @typedef {import("../../src/api/types").View} View
 * @typedef {{ key: Record<string, string | number>, micros: bigint, orders: number, units: number,
 *   epoch: number }} Row
 */
import { Buffer } from "node:buffer";

/** @type {View[]} */
export const VIEWS = [
  "sales_per_day",
  "sales_per_category",
  "sales_per_month",
  "sales_per_payment_method",
];

/** @type {Record<View, (order: Order) => Record<string, string | number>>} */
const KEY = {
  sales_per_day: ({ day, currency }) => ({ order_date: day, currency }),
  sales_per_category: ({ day, category, currency }) => ({ order_date: day, category, currency }),
  sales_per_month: ({ day, currency }) => ({
    year: Number(day.slice(0, 4)),
    month: Number(day.slice(5, 7)),
    currency,
  }),
  sales_per_payment_method: ({ day, payment_method, currency }) => ({
    order_date: day,
    payment_method,
    currency,
  }),
};

const MINOR_UNITS = new Map([["FCFA", 0], ["XOF", 0], ["XAF", 0], ["JPY", 0]]);

/** @param {bigint} micros */
export function amountText(micros) {
  const size = micros < 0n ? -micros : micros;
  const fraction = (size % 1_000_000n).toString().padStart(6, "0");
  return `${micros < 0n ? "-" : ""}${size / 1_000_000n}.${fraction}`;
}

/** @param {Row} row */
const rowJson = ({ key, micros, orders, units, epoch }) => ({
  ...key,
  total_sales: amountText(micros),
  orders,
  units,
  epoch,
});

export class Shop {
  epoch = 0;
  /** @type {string | null} */
  committedAt = null;
  /** @type {string | null} */
  newestRecordAt = null;
  counts = { read: 0, applied: 0, duplicates: 0, corrections: 0, cancellations: 0, rejected: 0 };
  /** @type {Map<View, Map<string, Row>>} */
  views = new Map(VIEWS.map((view) => [view, new Map()]));
  /** @type {{ view: View, key: Record<string, string | number>, epoch: number }[]} */
  removals = [];
  /** Removals up to this epoch are forgotten: who stands before it must start over. */
  forgotten = 0;
  /** @type {Map<string, Order>} */
  orders = new Map();
  /** @type {object[]} */
  corrections = [];

  /**
   * One epoch: each order is new, a correction of an old one with its id, or, as an id alone, a cancellation.
   *
   * @param {(Order | string)[]} events
   * @param {{ duplicates?: number, rejected?: number, at?: Date, writtenAt?: Date }} [more]
   */
  commit(events, { duplicates = 0, rejected = 0, at = new Date(), writtenAt = at } = {}) {
    this.epoch += 1;
    this.committedAt = at.toISOString();
    this.newestRecordAt = writtenAt.toISOString();
    for (const event of events) this.#apply(event);
    this.counts.read += events.length + duplicates + rejected;
    this.counts.duplicates += duplicates;
    this.counts.rejected += rejected;
  }

  /** @param {Order | string} event */
  #apply(event) {
    const id = typeof event === "string" ? event : event.id;
    const now = typeof event === "string" ? null : event;
    const was = this.orders.get(id) ?? null;
    if (was) this.#add(was, -1);
    if (now) this.#add(now, 1);
    if (now) this.orders.set(id, now);
    else this.orders.delete(id);
    if (!was) {
      this.counts.applied += 1;
      return;
    }
    this.counts[now ? "corrections" : "cancellations"] += 1;
    this.corrections.unshift({
      topic: "product_sold",
      partition: 0,
      offset: this.counts.read + this.corrections.length,
      order_id: id,
      why: now ? "correction" : "cancellation",
      was: version(was),
      now: now && version(now),
      epoch: this.epoch,
    });
  }

  /** @param {Order} order @param {1 | -1} sign */
  #add(order, sign) {
    for (const view of VIEWS) {
      const rows = /** @type {Map<string, Row>} */ (this.views.get(view));
      const key = KEY[view](order);
      const text = JSON.stringify(key);
      const row = rows.get(text) ?? { key, micros: 0n, orders: 0, units: 0, epoch: 0 };
      row.micros += BigInt(sign) * order.micros;
      row.orders += sign;
      row.units += sign * order.units;
      row.epoch = this.epoch;
      if (row.orders === 0) {
        rows.delete(text);
        this.removals.push({ view, key, epoch: this.epoch });
      } else {
        rows.set(text, row);
      }
    }
  }

  /** Forgets the removals known so far, as a store does after a day. */
  forget() {
    this.removals = [];
    this.forgotten = this.epoch;
  }

  /**
   * What changed after `epoch`, merged; null if some removals since are forgotten.
   * @param {number} epoch
   */
  changesSince(epoch) {
    if (epoch < this.forgotten || epoch > this.epoch) return null;
    /** @type {Record<string, object[]>} */
    const changed = {};
    /** @type {Record<string, object[]>} */
    const removed = {};
    for (const view of VIEWS) {
      const rows = /** @type {Map<string, Row>} */ (this.views.get(view));
      const news = [...rows.values()].filter((row) => row.epoch > epoch).map(rowJson);
      if (news.length > 0) changed[view] = news;
      const gone = new Map(
        this.removals
          .filter((removal) => removal.view === view && removal.epoch > epoch)
          .map(({ key }) => [JSON.stringify(key), key]),
      );
      for (const text of gone.keys()) if (rows.has(text)) gone.delete(text);
      if (gone.size > 0) removed[view] = [...gone.values()];
    }
    return {
      since: epoch,
      epoch: this.epoch,
      committed_at: this.committedAt,
      newest_record_at: this.newestRecordAt,
      changed,
      removed,
      sources: { ...this.counts },
    };
  }

  summary() {
    const days = [...this.#rows("sales_per_day")];
    /** @type {Map<string, { micros: bigint, orders: number, units: number }>} */
    const sums = new Map();
    for (const { key, micros, orders, units } of days) {
      const currency = String(key["currency"]);
      const sum = sums.get(currency) ?? { micros: 0n, orders: 0, units: 0 };
      sum.micros += micros;
      sum.orders += orders;
      sum.units += units;
      sums.set(currency, sum);
    }
    const dates = days.map(({ key }) => String(key["order_date"])).sort();
    const { read, duplicates, corrections, cancellations, rejected } = this.counts;
    return {
      epoch: this.epoch,
      currencies: [...sums].map(([currency, { micros, orders, units }]) => ({
        currency,
        minor_units: MINOR_UNITS.get(currency) ?? 2,
        total_sales: amountText(micros),
        orders,
        units,
      })),
      orders: days.reduce((sum, { orders }) => sum + orders, 0),
      units: days.reduce((sum, { units }) => sum + units, 0),
      first_day: dates[0] ?? null,
      last_day: dates.at(-1) ?? null,
      read,
      duplicates,
      corrections,
      cancellations,
      rejected,
    };
  }

  freshness(now = new Date()) {
    return {
      epoch: this.epoch,
      committed_at: this.committedAt,
      age_seconds: this.committedAt ? (now.getTime() - Date.parse(this.committedAt)) / 1000 : null,
      newest_record_at: this.newestRecordAt,
      partitions: [],
    };
  }

  /**
   * @template {View} V
   * @param {V} view
   * @param {{ from: string | null, limit: number, cursor: string | null }} parameters
   * @returns {import("../../src/api/types").Page<V>}
   */
  page(view, { from, limit, cursor }) {
    const after = cursor === null ? null : Buffer.from(cursor, "base64url").toString();
    const sorted = [...this.#rows(view)]
      .map((row) => ({ row, sort: JSON.stringify(row.key) }))
      .filter(({ row }) => from === null || periodOf(row.key) >= from)
      .filter(({ sort }) => after === null || sort < after)
      .sort((a, b) => (a.sort < b.sort ? 1 : -1));
    const shown = sorted.slice(0, limit);
    const last = shown.at(-1);
    const next = last && sorted.length > limit ? Buffer.from(last.sort).toString("base64url") : null;
    const rows = /** @type {any[]} */ (shown.map(({ row }) => rowJson(row)));
    return { epoch: this.epoch, rows, next_cursor: next };
  }

  /** @param {View} view */
  #rows(view) {
    return /** @type {Map<string, Row>} */ (this.views.get(view)).values();
  }
}

/** @param {Record<string, string | number>} key */
const periodOf = (key) => String(key["order_date"] ?? `${key["year"]}-${String(key["month"]).padStart(2, "0")}`);

/** @param {Order} order */
const version = ({ day, category, payment_method, currency, micros, units }) => ({
  order_date: day,
  category,
  payment_method,
  currency,
  amount: amountText(micros),
  units,
});

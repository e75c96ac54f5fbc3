// @ts-check
/**
 * A store of totals in memory, for tests alone: commits, absolute rows with epochs, and the removals that a
 * resuming feed needs. It computes its views from orders, so a test can compare what the page shows with it.
 *
 * @typedef {{ id: string, day: string, category: string, payment_method: string, currency: string,
 *   micros: bigint, units: number, product?: string }} Order
 * @typedef {import("../../src/api/types").View} View
 * @typedef {import("../../src/api/types").Rating} Rating
 * @typedef {import("../../src/api/types").Listing} Listing
 * @typedef {{ micros: bigint, orders: number, units: number }} Sum
 * @typedef {Sum & { key: Record<string, string | number>, product?: string, epoch: number }} Row
 * @typedef {{ product: string, stars: 1 | 2 | 3 | 4 | 5, times: 1 | -1 }} Feedback one given, or taken back
 */
import { Buffer } from "node:buffer";

/** @type {View[]} */
export const VIEWS = [
  "sales_per_day",
  "sales_per_category",
  "sales_per_month",
  "sales_per_payment_method",
  "top_products",
  "orders_per_minute",
  "sales_per_product",
  "sales_facts",
];
/** @typedef {Exclude<View, "top_products">} Summed a view whose rows are sums of orders */
const SUMMED = /** @type {Summed[]} */ (VIEWS.filter((view) => view !== "top_products"));
const RANKS = 10;
const STARS = /** @type {const} */ (["ones", "twos", "threes", "fours", "fives"]);

/** @type {Record<Summed, (order: Order, minute: string) => Record<string, string | number>>} */
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
  orders_per_minute: ({ currency }, minute) => ({ minute, currency }),
  sales_per_product: (order) => ({ order_date: order.day, product: productOf(order), currency: order.currency }),
  sales_facts: ({ day, category, payment_method, currency }) => ({ order_date: day, category, payment_method, currency }),
};
/** The stream tells its rows of the products alone that it was opened for. */
const STREAMED = VIEWS.filter((view) => view !== "sales_per_product");

/** @param {Order} order */
export const productOf = ({ product }) => product ?? "Something";

const MINOR_UNITS = new Map([["FCFA", 0], ["XOF", 0], ["XAF", 0], ["JPY", 0]]);

/** @param {bigint} micros */
export function amountText(micros) {
  const size = micros < 0n ? -micros : micros;
  const fraction = (size % 1_000_000n).toString().padStart(6, "0");
  return `${micros < 0n ? "-" : ""}${size / 1_000_000n}.${fraction}`;
}

/** @param {Row} row */
const rowJson = ({ key, product, micros, orders, units, epoch }) => ({
  ...key,
  ...(product === undefined ? {} : { product }),
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
  /** @type {Map<string, Rating>} */
  ratings = new Map();
  /** @type {Map<string, Listing>} */
  listings = new Map();
  /** How many closed days are not what the log says. */
  differing = 0;
  /** Whether single orders can be asked for. */
  ordersKept = true;
  /** Views that are switched off. @type {Set<string>} */
  off = new Set();
  /** Views that do not count all that was ever in the log. @type {Map<string, string>} */
  completeFrom = new Map();
  /** @type {string | null} */
  timeZone = null;
  /** @type {{ view: string, key: Record<string, string | number>, epoch: number }[]} */
  removals = [];
  /** Removals up to this epoch are forgotten: who stands before it must start over. */
  forgotten = 0;
  /** @type {Map<string, Order>} */
  orders = new Map();
  /** @type {object[]} */
  corrections = [];
  /** The minute in which each order first came. @type {Map<string, string>} */
  #minutes = new Map();
  /** What each product has sold, by period and currency. @type {Map<string, Map<string, Sum>>} */
  #sold = new Map();
  /** The groups of it that changed in this epoch. @type {Set<string>} */
  #stirred = new Set();

  /**
   * One epoch: each order is new, a correction of an old one with its id, or, as an id alone, a cancellation.
   *
   * @param {(Order | string)[]} events
   * @param {{ duplicates?: number, rejected?: number, at?: Date, writtenAt?: Date, feedback?: Feedback[],
   *   listings?: Omit<Listing, "epoch">[] }} [more]
   */
  commit(events, { duplicates = 0, rejected = 0, at = new Date(), writtenAt = at, feedback = [], listings = [] } = {}) {
    this.epoch += 1;
    this.committedAt = at.toISOString();
    this.newestRecordAt = writtenAt.toISOString();
    for (const event of events) this.#apply(event);
    for (const group of this.#stirred) this.#rank(group);
    this.#stirred.clear();
    for (const each of feedback) this.#rate(each);
    for (const listing of listings) this.listings.set(listing.product, { ...listing, epoch: this.epoch });
    this.counts.read += events.length + duplicates + rejected;
    this.counts.duplicates += duplicates;
    this.counts.rejected += rejected;
  }

  /** @param {Order | string} event */
  #apply(event) {
    const id = typeof event === "string" ? event : event.id;
    const now = typeof event === "string" ? null : event;
    const was = this.orders.get(id) ?? null;
    if (!this.#minutes.has(id)) this.#minutes.set(id, `${this.newestRecordAt?.slice(0, 16) ?? ""}:00.000Z`);
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
    for (const period of ["all", order.day.slice(0, 7), order.day]) this.#sell(period, order, sign);
    for (const view of SUMMED) {
      const rows = /** @type {Map<string, Row>} */ (this.views.get(view));
      const key = KEY[view](order, this.#minutes.get(order.id) ?? "");
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

  /** @param {string} period @param {Order} order @param {1 | -1} sign */
  #sell(period, order, sign) {
    const group = JSON.stringify({ period, currency: order.currency });
    const sold = this.#sold.get(group) ?? new Map();
    this.#sold.set(group, sold);
    const sum = sold.get(productOf(order)) ?? { micros: 0n, orders: 0, units: 0 };
    sum.micros += BigInt(sign) * order.micros;
    sum.orders += sign;
    sum.units += sign * order.units;
    if (sum.orders === 0) sold.delete(productOf(order));
    else sold.set(productOf(order), sum);
    this.#stirred.add(group);
  }

  /** The best sellers of a period and currency, anew. @param {string} group */
  #rank(group) {
    const rows = /** @type {Map<string, Row>} */ (this.views.get("top_products"));
    const sold = [.../** @type {Map<string, Sum>} */ (this.#sold.get(group))];
    sold.sort(([a, { micros: x }], [b, { micros: y }]) => (x === y ? (a < b ? -1 : 1) : x > y ? -1 : 1));
    for (let rank = 1; rank <= RANKS; rank += 1) {
      const key = { .../** @type {Record<string, string>} */ (JSON.parse(group)), rank };
      const text = JSON.stringify(key);
      const held = rows.get(text);
      const now = sold[rank - 1];
      if (!now) {
        if (rows.delete(text)) this.removals.push({ view: "top_products", key, epoch: this.epoch });
        continue;
      }
      const [product, { micros, orders, units }] = now;
      if (held?.product === product && held.micros === micros && held.orders === orders && held.units === units) continue;
      rows.set(text, { key, product, micros, orders, units, epoch: this.epoch });
    }
  }

  /** @param {Feedback} feedback */
  #rate({ product, stars, times }) {
    const none = { product, ratings: 0, average: "", ones: 0, twos: 0, threes: 0, fours: 0, fives: 0, epoch: 0 };
    const row = { ...(this.ratings.get(product) ?? none), epoch: this.epoch };
    row[/** @type {"ones"} */ (STARS[stars - 1])] += times;
    row.ratings += times;
    const sum = STARS.reduce((all, name, at) => all + row[name] * (at + 1), 0);
    row.average = amountText(row.ratings === 0 ? 0n : (BigInt(sum) * 1_000_000n) / BigInt(row.ratings));
    if (row.ratings > 0) this.ratings.set(product, row);
    else if (this.ratings.delete(product)) {
      this.removals.push({ view: "ratings_per_product", key: { product }, epoch: this.epoch });
    }
  }

  /** Forgets the removals known so far, as a store does after a day. */
  forget() {
    this.removals = [];
    this.forgotten = this.epoch;
  }

  /**
   * What changed after `epoch`, merged; null if some removals since are forgotten. The rows of `products` on the days
   * that changed are told whole.
   * @param {number} epoch
   * @param {readonly string[]} [products]
   */
  changesSince(epoch, products = []) {
    if (epoch < this.forgotten || epoch > this.epoch) return null;
    /** @type {Record<string, object[]>} */
    const changed = {};
    /** @type {Record<string, object[]>} */
    const removed = {};
    /** @type {[string, Map<string, { epoch: number }>, (row: any) => object][]} */
    const told = [
      ...STREAMED.map((view) => /** @type {[string, Map<string, Row>, (row: any) => object]} */ ([view, this.views.get(view), rowJson])),
      ["ratings_per_product", new Map([...this.ratings].map(([product, row]) => [JSON.stringify({ product }), row])), (row) => row],
      ["products", this.listings, (row) => row],
    ];
    for (const [view, rows, json] of told) {
      const news = [...rows.values()].filter((row) => row.epoch > epoch).map(json);
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
      ...(products.length > 0 ? { products: products.flatMap((product) => this.#productSince(product, epoch)) } : {}),
    };
  }

  /** @param {string} product @param {number} epoch */
  #productSince(product, epoch) {
    const held = [...this.#rows("sales_per_product")].filter(({ key }) => key["product"] === product);
    const gone = this.removals.filter(({ view, key }) => view === "sales_per_product" && key["product"] === product);
    const days = new Set([...held, ...gone].filter((each) => each.epoch > epoch).map(({ key }) => String(key["order_date"])));
    const rows = /** @type {any[]} */ (held.filter(({ key }) => days.has(String(key["order_date"]))).map(rowJson));
    return days.size > 0 ? [{ product, days: [...days].sort(), rows }] : [];
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
      orders_kept: this.ordersKept,
      views: [...VIEWS, "ratings_per_product", "products"]
        .filter((view) => !this.off.has(view))
        .map((view) => ({ view, complete_from: this.completeFrom.get(view) ?? null, since_epoch: 0 })),
      partitions: [],
      time_zone: this.timeZone,
      proofs: this.proofs(now),
    };
  }

  /** What was found of each closed day, the newest first. @param {number} limit */
  proofRows(limit) {
    const days = [...new Set([...this.#rows("sales_per_day")].map(({ key }) => String(key["order_date"])))].sort().reverse().slice(1);
    return days.slice(0, limit).map((order_date, at) => ({ order_date, state: at < this.differing ? "differs" : "proven", shown: [] }));
  }

  /** All closed days are proven, a while ago, but for those that a test says differ. */
  proofs(now = new Date()) {
    const days = new Set([...this.#rows("sales_per_day")].map(({ key }) => String(key["order_date"])));
    const closed = Math.max(0, days.size - 1);
    const proven = Math.max(0, closed - this.differing);
    const at = closed > 0 ? new Date(now.getTime() - 200_000).toISOString() : null;
    return {
      days: closed,
      proven,
      differing: closed - proven,
      not_provable: 0,
      unproven: 0,
      first_proven_at: at,
      last_proven_at: at,
      inconsistent_groups: 0,
    };
  }

  /**
   * @template {View} V
   * @param {V} view
   * @param {import("../../src/api/types").PageParameters} parameters
   * @returns {import("../../src/api/types").Page<V>}
   */
  page(view, { from = null, period = "", category, payment_method, product, limit, cursor = null }) {
    const asked = Object.entries({ category, payment_method, product }).filter(([, value]) => value != null);
    const after = cursor === null ? null : Buffer.from(cursor, "base64url").toString();
    const sorted = [...this.#rows(view)]
      .map((row) => ({ row, sort: JSON.stringify(row.key) }))
      .filter(({ row }) => from === null || periodOf(row.key) >= from)
      .filter(({ row: { key } }) => asked.every(([name, value]) => key[name] === value))
      .filter(({ row }) => period === "" || periodOf(row.key) === period)
      .filter(({ sort }) => after === null || sort < after)
      .sort((a, b) => (a.sort < b.sort ? 1 : -1));
    const shown = sorted.slice(0, limit);
    const last = shown.at(-1);
    const next = last && sorted.length > limit ? Buffer.from(last.sort).toString("base64url") : null;
    const rows = /** @type {any[]} */ (shown.map(({ row }) => rowJson(row)));
    return { epoch: this.epoch, rows, next_cursor: next };
  }

  /** @param {number} limit */
  ratingsPage(limit) {
    const sorted = [...this.ratings.values()].sort((a, b) => b.ratings - a.ratings || (a.product < b.product ? 1 : -1));
    return { epoch: this.epoch, rows: sorted.slice(0, limit), next_cursor: sorted.length > limit ? "more" : null };
  }

  /** @param {string[]} products */
  listingsPage(products) {
    const rows = products.map((product) => this.listings.get(product)).filter((row) => row !== undefined);
    return { epoch: this.epoch, rows, next_cursor: null };
  }

  /** What the stream says of where it stands. */
  place() {
    return { epoch: this.epoch, committed_at: this.committedAt, newest_record_at: this.newestRecordAt };
  }

  /** @param {View} view */
  #rows(view) {
    return /** @type {Map<string, Row>} */ (this.views.get(view)).values();
  }
}

/** @param {Record<string, string | number>} key */
const periodOf = (key) =>
  String(key["order_date"] ?? key["minute"] ?? key["period"] ?? `${key["year"]}-${String(key["month"]).padStart(2, "0")}`);

/** @param {Order} order */
const version = ({ day, category, payment_method, currency, micros, units, product }) => ({
  order_date: day,
  category,
  payment_method,
  currency,
  amount: amountText(micros),
  units,
  product: product ?? null,
});

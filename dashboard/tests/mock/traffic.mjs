// @ts-check
/** Orders for the shop in memory: deterministic by seed, with a weekly rhythm and favourites. */

export const CATEGORIES = [
  "Electronics", "Fashion", "Home & Kitchen", "Beauty", "Groceries", "Sports", "Books", "Toys",
  "Health", "Garden", "Music", "Office", "Automotive", "Baby", "Pets", "Jewellery", "Games",
  "Travel", "Art", "Tools",
];
const NAMES = [
  "Café moulu 250 g", "Noise-cancelling headphones", "Linen shirt", "Cast-iron pan", "Shea butter", "Trail shoes",
  "Field notebook", "Wooden train set", "Desk lamp with a rather long name", "Olive oil 1 l", "Phone stand",
  "Yoga mat", "Rain jacket", "Teapot", "Garden shears", "Chess set", "Water bottle", "Wool socks",
];
const METHODS = ["CREDIT_CARD", "ORANGE_MONEY", "CASH_ON_DELIVERY", "PAYPAL", "BANK_TRANSFER"];
/** Currency, its share of orders, and what one unit of price is worth in it, in micros. */
const CURRENCIES = /** @type {const} */ ([
  ["EUR", 0.5, 10_000n],
  ["FCFA", 0.3, 5_000_000n],
  ["USD", 0.2, 10_000n],
]);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** @param {number} seed @returns {() => number} in [0, 1) */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** @param {() => number} next @param {readonly string[]} names the first are the favourites */
const favourite = (next, names) => names[Math.floor(next() ** 2 * names.length)] ?? "";

/** @param {string} day @param {number} back */
export const dayBefore = (day, back) =>
  new Date(Date.parse(day) - back * 86_400_000).toISOString().slice(0, 10);

/** @param {() => number} next @returns {import("./shop.mjs").Feedback} */
const opinion = (next) => ({
  product: String(1000 + Math.floor(next() ** 2 * NAMES.length)),
  stars: /** @type {4} */ (5 - Math.floor(next() ** 2 * 5)),
  times: 1,
});

/** A tenth off, in whole units of money. @param {import("./shop.mjs").Order} order */
const cheaper = (order) => ({
  ...order,
  micros: order.micros - (order.micros / 10_000_000n) * 1_000_000n,
});

export class Traffic {
  #next;
  #number = 10_000;

  /** @param {{ seed: number, lastDay: string, categories?: number }} options */
  constructor({ seed, lastDay, categories = CATEGORIES.length }) {
    this.#next = random(seed);
    this.lastDay = lastDay;
    this.categories = CATEGORIES.slice(0, categories);
  }

  /** @param {string} day @returns {import("./shop.mjs").Order} */
  order(day = this.lastDay) {
    const next = this.#next;
    const dice = next();
    const [currency, , worth] = dice < 0.5 ? CURRENCIES[0] : dice < 0.8 ? CURRENCIES[1] : CURRENCIES[2];
    const units = 1 + Math.floor(next() ** 3 * 5);
    const price = BigInt(400 + Math.floor(next() ** 2 * 16_000));
    this.#number += 1;
    const product = Math.floor(next() ** 2 * NAMES.length);
    return {
      id: `A-${this.#number}`,
      day,
      product: String(1000 + product),
      category: favourite(next, this.categories),
      payment_method: favourite(next, METHODS),
      currency,
      micros: price * worth * BigInt(units),
      units,
    };
  }

  /**
   * Sales of `days` days up to the last, about `perDay` orders each, as one epoch, and what was
   * corrected or cancelled of them as a second.
   * @param {import("./shop.mjs").Shop} shop @param {{ days: number, perDay: number }} size
   */
  fill(shop, { days, perDay }, at = new Date()) {
    /** @type {import("./shop.mjs").Order[]} */
    const orders = [];
    /** @type {import("./shop.mjs").Order[]} */
    const yesterday = [];
    for (let back = days - 1; back >= 0; back -= 1) {
      const day = dayBefore(this.lastDay, back);
      const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
      const rhythm = (weekday === 6 ? 1.35 : weekday === 0 ? 0.7 : 1) * (1 + 0.35 * Math.sin(back / 29));
      const growth = 0.6 + 0.4 * ((days - back) / days);
      const today = back === 0 ? 0.55 : 1;
      const count = Math.max(1, Math.round(perDay * rhythm * growth * today * (0.85 + 0.3 * this.#next())));
      for (let n = 0; n < count; n += 1) (back === 1 ? yesterday : orders).push(this.order(day));
    }
    const listings = NAMES.map((name, at) => ({ product: String(1000 + at), name, category: null, price: null }));
    const feedback = Array.from({ length: Math.ceil(orders.length / 20) }, () => opinion(this.#next));
    // Long ago, but for the orders of yesterday, which came through that day: it is known how far it was at any time.
    const old = new Date(at.getTime() - 72 * HOUR_MS);
    shop.commit(orders, { duplicates: Math.round(orders.length / 100), rejected: 7, at: old, feedback, listings });
    const morning = Date.parse(dayBefore(this.lastDay, 1));
    const hourly = Math.ceil(yesterday.length / 24);
    for (let hour = 0; hourly > 0 && hour < 24; hour += 1) {
      const lot = yesterday.slice(hour * hourly, (hour + 1) * hourly);
      if (lot.length > 0) shop.commit(lot, { at: new Date(morning + hour * HOUR_MS) });
    }
    const again = orders.filter(() => this.#next() < 0.01);
    shop.commit(again.map((order) => (this.#next() < 0.3 ? order.id : cheaper(order))), { at: old });
    // And an hour of today.
    for (let minute = 59; minute >= 0; minute -= 1) {
      const count = Math.floor(this.#next() ** 3 * 5);
      const lately = Array.from({ length: count }, () => this.order());
      if (count > 0) shop.commit(lately, { at: new Date(at.getTime() - minute * MINUTE_MS) });
    }
  }

  /** One small epoch of live traffic: some orders, now and then a correction or a cancellation. @param {import("./shop.mjs").Shop} shop */
  tick(shop, at = new Date()) {
    const next = this.#next;
    /** @type {(import("./shop.mjs").Order | string)[]} */
    const events = Array.from({ length: 1 + Math.floor(next() * 3) }, () => this.order());
    const old = [...shop.orders.values()].at(-1 - Math.floor(next() * 50));
    if (old && next() < 0.25) events.push(cheaper(old));
    else if (old && next() < 0.1) events.push(old.id);
    const feedback = next() < 0.3 ? [opinion(next)] : [];
    shop.commit(events, { duplicates: next() < 0.2 ? 1 : 0, at, feedback });
  }
}

// @ts-check
/** Orders for the shop in memory: deterministic by seed, with a weekly rhythm and favourites. */

export const CATEGORIES = [
  "Electronics", "Fashion", "Home & Kitchen", "Beauty", "Groceries", "Sports", "Books", "Toys",
  "Health", "Garden", "Music", "Office", "Automotive", "Baby", "Pets", "Jewellery", "Games",
  "Travel", "Art", "Tools",
];
const METHODS = ["CREDIT_CARD", "ORANGE_MONEY", "CASH_ON_DELIVERY", "PAYPAL", "BANK_TRANSFER"];
/** Currency, its share of orders, and what one unit of price is worth in it, in micros. */
const CURRENCIES = /** @type {const} */ ([
  ["EUR", 0.5, 10_000n],
  ["FCFA", 0.3, 5_000_000n],
  ["USD", 0.2, 10_000n],
]);

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
    return {
      id: `A-${this.#number}`,
      day,
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
    const orders = [];
    for (let back = days - 1; back >= 0; back -= 1) {
      const day = dayBefore(this.lastDay, back);
      const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
      const rhythm = (weekday === 6 ? 1.35 : weekday === 0 ? 0.7 : 1) * (1 + 0.35 * Math.sin(back / 29));
      const growth = 0.6 + 0.4 * ((days - back) / days);
      const today = back === 0 ? 0.55 : 1;
      const count = Math.max(1, Math.round(perDay * rhythm * growth * today * (0.85 + 0.3 * this.#next())));
      for (let n = 0; n < count; n += 1) orders.push(this.order(day));
    }
    shop.commit(orders, { duplicates: Math.round(orders.length / 100), rejected: 7, at });
    const again = orders.filter(() => this.#next() < 0.01);
    shop.commit(again.map((order) => (this.#next() < 0.3 ? order.id : cheaper(order))), { at });
  }

  /** One small epoch of live traffic: some orders, now and then a correction or a cancellation. @param {import("./shop.mjs").Shop} shop */
  tick(shop, at = new Date()) {
    const next = this.#next;
    /** @type {(import("./shop.mjs").Order | string)[]} */
    const events = Array.from({ length: 1 + Math.floor(next() * 3) }, () => this.order());
    const old = [...shop.orders.values()].at(-1 - Math.floor(next() * 50));
    if (old && next() < 0.25) events.push(cheaper(old));
    else if (old && next() < 0.1) events.push(old.id);
    shop.commit(events, { duplicates: next() < 0.2 ? 1 : 0, at });
  }
}

// @ts-check
/**
 * What the service pages beside its views of totals: orders, corrections, rejected records, and totals by product,
 * each filtered, sorted and paged by a cursor as the service does it.
 *
 * @typedef {import("./shop.mjs").Shop} Shop
 * @typedef {import("./shop.mjs").Order} Order
 * @typedef {import("../../src/api/types").Correction} Correction
 * @typedef {Record<string, any>} Row
 */
import { Buffer } from "node:buffer";
import { amountText } from "./shop.mjs";

const TOPIC = "product_sold";
const PARTITIONS = 3;

/** An answer that is none, as the service says it. */
export class Refusal extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {string} hint */
  constructor(status, code, message, hint) {
    super(message);
    this.status = status;
    this.body = { error: { code, message, hint } };
  }
}

/** @param {URLSearchParams} asked @param {string} day */
const within = (asked, day) => day >= (asked.get("from") ?? "") && day <= (asked.get("to") ?? "9999-12-31");

/** @param {string} text @param {string | null} part */
const contains = (text, part) => part === null || text.toLowerCase().includes(part.toLowerCase());

/** @param {string | undefined} product */
const productOf = (product) => product ?? "Something";

/** @param {URLSearchParams} asked @param {Order} order */
const asksFor = (asked, { day, category, payment_method, currency, product }) =>
  within(asked, day) &&
  [["category", category], ["payment_method", payment_method], ["currency", currency], ["product", productOf(product)]].every(
    ([name = "", value]) => !asked.has(name) || asked.get(name) === value,
  );

/** @param {Shop} shop @param {URLSearchParams} asked @returns {Row[]} newest first */
function orders(shop, asked) {
  if (!shop.ordersKept) {
    throw new Refusal(404, "orders_not_kept", "orders are not kept", "start the job with --keep-orders");
  }
  if (!asked.has("from")) {
    throw new Refusal(400, "invalid_parameter", "this would look through all orders there are", "give `from` as well");
  }
  const places = new Map([...shop.orders.keys()].map((id, at) => [id, at]));
  return [...shop.orders.values()]
    .filter((order) => asksFor(asked, order))
    .sort((a, b) => (a.day === b.day ? (a.id < b.id ? 1 : -1) : a.day < b.day ? 1 : -1))
    .map((order) => {
      const place = places.get(order.id) ?? 0;
      return {
        topic: TOPIC,
        order_id: order.id,
        order_date: order.day,
        ordered_at: `${order.day}T12:00:00.000000`,
        product: productOf(order.product),
        product_name: shop.listings.get(productOf(order.product))?.name ?? null,
        category: order.category,
        payment_method: order.payment_method,
        currency: order.currency,
        amount: amountText(order.micros),
        units: order.units,
        partition: place % PARTITIONS,
        offset: Math.floor(place / PARTITIONS),
        epoch: shop.epoch,
      };
    });
}

/** @param {Shop} shop @param {URLSearchParams} asked @returns {Row[]} newest first */
function corrections(shop, asked) {
  const sides = /** @type {Correction[]} */ (shop.corrections).map((row) => ({ row, sides: [row.was, row.now].filter((side) => side !== null && side !== undefined) }));
  const named = /** @type {const} */ (["category", "payment_method", "currency", "product"]);
  const shown = sides
    .filter(({ row }) => contains(row.order_id, asked.get("search")))
    .filter(({ sides }) => sides.some(({ order_date }) => within(asked, order_date)))
    .filter(({ sides }) => named.every((name) => !asked.has(name) || sides.some((side) => side[name] === asked.get(name))))
    .map(({ row }) => row);
  return asked.get("order") === "asc" ? shown.toReversed() : shown;
}

const REASONS = [
  ["field `total_amount`: \"12,50\" is not a decimal number", '{"order_id":"A-7","total_amount":"12,50","currency":"EUR"}'],
  ["field `order_date`: missing", '{"order_id":"A-8","total_amount":"3.10","currency":"EUR","product_name":"A thing with a rather long name that goes on"}'],
  ["not JSON: expected value at line 1 column 1", "<order id='9'/>"],
];

/** As many as were counted, always the same. @param {Shop} shop @param {URLSearchParams} asked @returns {Row[]} newest first */
function rejected(shop, asked) {
  const rows = Array.from({ length: shop.counts.rejected }, (_, at) => {
    const [reason = "", payload = ""] = REASONS[at % REASONS.length] ?? [];
    return { topic: TOPIC, partition: at % PARTITIONS, offset: 40 + 17 * at, key: `A-${at}`, payload, payload_base64: Buffer.from(payload).toString("base64"), payload_cut: false, reason, epoch: 1 };
  }).filter(({ reason }) => contains(reason, asked.get("reason")));
  return asked.get("order") === "asc" ? rows : rows.toReversed();
}

/** @param {Shop} shop @param {URLSearchParams} asked @returns {Row[]} */
function productTotals(shop, asked) {
  /** @type {Map<string, Row & { micros: bigint }>} */
  const sums = new Map();
  const catalogue = asked.get("category");
  for (const order of shop.orders.values()) {
    const product = productOf(order.product);
    const listing = shop.listings.get(product);
    if (!within(asked, order.day) || (asked.has("currency") && asked.get("currency") !== order.currency)) continue;
    if (asked.has("product") && !asked.getAll("product").includes(product)) continue;
    if (catalogue !== null && (listing?.category ?? null) !== catalogue) continue;
    if (!contains(product, asked.get("search")) && !contains(listing?.name ?? "", asked.get("search"))) continue;
    const key = JSON.stringify([product, order.currency]);
    const row = sums.get(key) ?? { product, currency: order.currency, name: listing?.name ?? null, category: listing?.category ?? null, micros: 0n, orders: 0, units: 0 };
    row.micros += order.micros;
    row["orders"] += 1;
    row["units"] += order.units;
    sums.set(key, row);
  }
  const sort = asked.get("sort") ?? "total_sales";
  /** @param {Row} row */
  const of = (row) => (sort === "total_sales" ? row["micros"] : sort === "name" ? (row["name"] ?? row["product"]) : row[sort]);
  const sign = asked.get("order") === "asc" ? 1 : -1;
  return [...sums.values()]
    .sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      if (x !== y) return (x < y ? -1 : 1) * sign;
      return a["product"] < b["product"] ? -1 : 1;
    })
    .map(({ micros, ...row }) => ({ ...row, total_sales: amountText(micros) }));
}

/** @type {Record<string, (shop: Shop, asked: URLSearchParams) => Row[]>} */
export const LISTS = { orders, corrections, rejected, product_totals: productTotals };

/** One page of a list. @param {Shop} shop @param {string} name @param {URLSearchParams} asked */
export function listPage(shop, name, asked) {
  const rows = LISTS[name]?.(shop, asked) ?? [];
  const first = Number(asked.get("cursor") ?? "0");
  const limit = Number(asked.get("limit") ?? "1000");
  const next = first + limit;
  return { epoch: shop.epoch, rows: rows.slice(first, next), next_cursor: next < rows.length ? String(next) : null };
}

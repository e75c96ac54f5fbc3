/**
 * The shop that a test looks at: one in memory of the test's own, or the real one behind TAKINGS_URL, which is the same
 * for all tests. What a test expects it asks the service for, or sells itself; so it is the same for both.
 *
 * A real shop has a till at TILL_URL (`tests/page/till.rs`): what is sent there is in the log when it answers. Nobody
 * else sells meanwhile. GUARDED_URL is the same shop behind a service that needs the token GUARDED_TOKEN.
 */
import process from "node:process";
import type { Freshness, Page, View } from "../src/api/types";
import { amountText } from "../src/live/amount";
import { today } from "../src/live/period";
import { startMock } from "../tests/mock/server.mjs";
import type { Order } from "../tests/mock/shop.mjs";
import { summaryOf } from "./target";

export type Mock = Awaited<ReturnType<typeof startMock>>;
export type MockOptions = NonNullable<Parameters<typeof startMock>[0]>;
/** An order that is new, a correction of one by its id, or, as an id alone, a cancellation. */
export type Sale = Order | string;

export interface Shop {
  readonly url: string;
  /** The shop in memory, for what only a fault made there can show; null where it is a real one. */
  readonly mock: Mock | null;
  /** Sells these in one go, recorded at this moment: the epoch that has them. */
  readonly sell: (sales: readonly Sale[], at?: Date) => Promise<number>;
  /** So many records that can not be read: the epoch that has them. */
  readonly spoil: (records: number) => Promise<number>;
}

/** What a real service keeps. */
interface Kept {
  readonly views: ReadonlySet<string>;
  readonly orders: boolean;
}

const { TAKINGS_URL = "", TILL_URL = "", GUARDED_URL = "", GUARDED_TOKEN = "" } = process.env;

/** Null where the shop is in memory: it keeps what a test asks it to. */
const kept: Kept | null = TAKINGS_URL === "" ? null : await keptBy(TAKINGS_URL);

export const isReal = kept !== null;

/** Whether there can be a shop with this view, and one without it. */
export const has = (view: View): boolean => kept === null || kept.views.has(view);
export const lacks = (view: View): boolean => !kept?.views.has(view);
/** Whether there can be a shop that keeps single orders, and one that does not. */
export const hasOrders = kept === null || kept.orders;
export const lacksOrders = !kept?.orders;

async function keptBy(url: string): Promise<Kept> {
  const { views, orders_kept } = (await (await fetch(`${url}/api/v1/freshness`)).json()) as Freshness;
  return { views: new Set(views.map(({ view }) => view)), orders: orders_kept };
}

export const realShop: Shop = {
  url: TAKINGS_URL,
  mock: null,
  sell: (sales, at = new Date()) => ring(sales.map((sale) => recordOf(sale, at))),
  spoil: (records) => ring(Array.from({ length: records }, (_, at) => ({ ...none, value: `{"orderId": ${String(at)}}` }))),
};

/** The same shop, where a token is needed. */
export const guardedShop = { url: GUARDED_URL, token: GUARDED_TOKEN };

export const shopInMemory = (mock: Mock): Shop => {
  const commit: Mock["shop"]["commit"] = (...parts) => {
    mock.shop.commit(...parts);
    mock.publish();
  };
  return {
    url: mock.url,
    mock,
    sell: (sales, at = new Date()) => {
      commit([...sales], { at });
      return Promise.resolve(mock.shop.epoch);
    },
    spoil: (rejected) => {
      commit([], { rejected });
      return Promise.resolve(mock.shop.epoch);
    },
  };
};

let number = 0;
/** Makes ids of this run, which no order before it has. */
const RUN = Date.now().toString(36);

/** An order that has not been there before: one book, today, for 12.34 euros, but for what is said otherwise. */
export function order(said: Partial<Order> = {}): Order {
  number += 1;
  return {
    id: `${RUN}-${String(number)}`,
    day: today(),
    category: "Books",
    payment_method: "PAYPAL",
    currency: "EUR",
    micros: 12_340_000n,
    units: 1,
    product: "Field notebook",
    ...said,
  };
}

interface Rung {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number | null;
}

const none: Rung = { topic: "product_sold", key: null, value: null, timestamp: null };

/** What a producer of `product_sold` writes. */
function recordOf(sale: Sale, at: Date): Rung {
  const timestamp = at.getTime();
  if (typeof sale === "string") return { ...none, key: sale, timestamp };
  const { id, day, category, payment_method, currency, micros, units, product } = sale;
  // The amount is exact: no float may come between.
  const value = JSON.stringify({
    orderId: id,
    orderDate: `${day}T12:00:00`,
    productName: product,
    productCategory: category,
    productQuantity: units,
    paymentMethod: payment_method,
    currency,
    totalAmount: amountText(micros),
  });
  return { ...none, key: id, value, timestamp };
}

/** Writes the records to the log, and waits until the service shows them. */
async function ring(records: readonly Rung[]): Promise<number> {
  const before = await summaryOf(TAKINGS_URL);
  const headers = { "content-type": "application/json" };
  const answer = await fetch(TILL_URL, { method: "POST", headers, body: JSON.stringify(records) });
  if (!answer.ok) throw new Error(`the till says ${String(answer.status)}: ${await answer.text()}`);
  const until = Date.now() + 30_000;
  for (;;) {
    const { read, epoch } = await summaryOf(TAKINGS_URL);
    if (read >= before.read + records.length) return epoch;
    if (Date.now() > until) throw new Error(`${String(records.length)} records were rung up, ${String(read - before.read)} were counted`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** All rows of a view that the query asks for, as the service has them. */
export async function rowsOf<V extends View>({ url }: Pick<Shop, "url">, view: V, query: Record<string, string> = {}): Promise<Page<V>["rows"]> {
  const rows: Page<V>["rows"][number][] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const asked: URLSearchParams = new URLSearchParams({ ...query, limit: "10000", ...(cursor === "" ? {} : { cursor }) });
    const page = await listOf<Page<V>>(url, view, asked);
    rows.push(...page.rows);
    cursor = page.next_cursor ?? null;
  }
  return rows;
}

/** One answer of the service. */
export async function listOf<T>(url: string, list: string, query: URLSearchParams | Record<string, string> = {}): Promise<T> {
  const answer = await fetch(`${url}/api/v1/${list}?${new URLSearchParams(query).toString()}`);
  if (!answer.ok) throw new Error(`${list}: HTTP ${String(answer.status)}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

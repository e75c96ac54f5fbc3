/** A service over a shop in memory, whose every answer waits until the test lets it go. */
import type { Rating, View } from "../../src/api/types";
import { amountText } from "../../src/live/amount";
import { WIDE, type Narrowing } from "../../src/live/holding";
import { firstNeeded } from "../../src/live/period";
import { loadMinutesBefore, loadSlice, loadSnapshot, type SnapshotReader } from "../../src/live/snapshot";
import { LiveStore, type LiveState, type Showing } from "../../src/live/store";
import type { StreamHandlers } from "../../src/live/stream";
import { VIEWS, type Table } from "../../src/live/table";
import { Shop, type Order } from "../mock/shop.mjs";

const OFF = new Error("the view is switched off");
export const WALL = "2026-11-22";

/** A service whose every answer waits until the test lets it go, so that any interleaving can be played. */
export class Service {
  shop = new Shop();
  handlers: StreamHandlers | null = null;
  connected = false;
  /** What the stream has been given, as EventSource's last event id would say. */
  seen: number | null = null;
  /** Requests not yet answered. */
  readonly waiting: (() => void)[] = [];
  readonly sleeping: (() => void)[] = [];
  pageRows = 3;
  failing = 0;
  off: View | null = null;

  /** The day on the shop's wall; `turnDay` tells the store that it is another. */
  wall = WALL;
  /** Or the day by the moment that the store asks for, where a test gives it. */
  wallAt: ((at: number) => string) | null = null;
  /** The reader's clock. */
  clock: () => number = () => 0;
  turnDay: () => void = () => undefined;
  /** The products that the stream tells of, and how often it was opened anew for others. */
  products: readonly string[] = [];
  followed = 0;
  /** What was asked for: the view of each page. */
  readonly asked: string[] = [];

  readonly #reader: SnapshotReader = {
    summary: () => this.#answer(() => this.shop.summary()),
    freshness: () => this.#answer(() => this.shop.freshness()),
    page: (view, parameters) => {
      this.asked.push(view);
      return this.#answer(() => {
        if (this.off === view) throw OFF;
        return this.shop.page(view, { ...parameters, limit: this.pageRows });
      });
    },
    ratings: (limit) => this.#answer(() => this.shop.ratingsPage(limit)),
    isViewOff: (fault) => fault === OFF,
  };

  readonly store: LiveStore;

  constructor(showing: Partial<Showing> = {}) {
    const wall = (_: string | null, at: number) => this.wallAt?.(at) ?? this.wall;
    this.store = new LiveStore(
      {
        openStream: (handlers, products) => {
          this.handlers = handlers;
          this.products = products;
          return { close: () => (this.handlers = null), follow: (wanted) => { this.#follow(wanted); } };
        },
        loadSnapshot: (wanted, minutes, signal) =>
          loadSnapshot(this.#reader, wanted, minutes, wall, () => this.clock(), signal),
        loadSlice: ({ period, narrowing }, { anchor, kept }, signal) =>
          loadSlice(this.#reader, narrowing, firstNeeded(period, anchor), kept, signal),
        loadMinutesBefore: ({ anchor, timeZone }, signal) => loadMinutesBefore(this.#reader, anchor, timeZone, signal),
        isKept: (view) => Promise.resolve(!this.shop.off.has(view)),
        scheduler: () => ({ request: () => undefined, cancel: () => undefined }),
        clock: () => this.clock(),
        wall,
        watchDay: (_, __, turned) => {
          this.turnDay = turned;
          return () => (this.turnDay = () => undefined);
        },
        delay: () => new Promise((resolve) => this.sleeping.push(resolve)),
      },
      { period: "30", narrowing: WIDE, ...showing },
    );
  }

  /** Another stream is opened where the last one stood; what it has not brought, the next one does. */
  #follow(wanted: readonly string[]): void {
    if (wanted.join() === this.products.join()) return;
    this.products = wanted;
    this.followed += 1;
    this.connected = false;
  }

  #answer<T>(read: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push(() => {
        if (this.failing > 0) {
          this.failing -= 1;
          reject(new Error("the store is away"));
        } else {
          resolve(Promise.resolve().then(() => structuredClone(read())));
        }
      });
    });
  }

  connect(): void {
    if (this.connected) return;
    if (this.products.length > 0 && this.shop.off.has("sales_per_product")) {
      this.handlers?.lost();
      this.handlers?.refused();
      return;
    }
    this.connected = true;
    this.handlers?.opened();
    if (this.seen === null) {
      this.seen = this.shop.epoch;
      this.handlers?.hello(this.shop.place());
    } else this.deliver();
  }

  /** Or, where it is not connected, tries to in vain. */
  disconnect(): void {
    this.connected = false;
    this.handlers?.lost();
  }

  /** Nobody has looked for a while. */
  rest(): void {
    this.connected = false;
    this.handlers?.rested();
  }

  /** Sends what the stream has not seen, merged. */
  deliver(): void {
    if (!this.connected || this.seen === null || this.seen === this.shop.epoch) return;
    const changes = this.shop.changesSince(this.seen, this.products);
    this.seen = this.shop.epoch;
    if (changes === null) this.handlers?.reset(this.shop.place());
    else this.handlers?.changes(structuredClone(changes));
  }

  /** Answers the request that has waited longest, or the nth. */
  async answer(nth = 0): Promise<void> {
    this.waiting.splice(nth % Math.max(1, this.waiting.length), 1)[0]?.();
    await turn();
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 300; round += 1) {
      this.connect();
      this.deliver();
      this.store.flush();
      if (this.waiting.length > 0) await this.answer();
      else if (this.store.getState().loading || !this.connected) {
        this.sleeping.splice(0).forEach((wake) => { wake(); });
        await turn();
      } else return;
    }
    throw new Error("the store never came to rest");
  }

  restart(): void {
    this.disconnect();
    const shop = new Shop();
    this.shop = shop;
  }
}

export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A view as text, for comparison. */
export function rowsOf(table: Table): string[] {
  return [...table.entries()]
    .map((e) => `${e.period} ${e.currency} ${e.label} ${e.product} ${amountText(e.micros)} ${e.orders} ${e.units} @${e.epoch}`)
    .sort();
}

export const rated = (rows: Iterable<Rating>): string[] => [...rows].map((row) => JSON.stringify(row)).sort();

export function shown(service: Service): Record<string, string[]> | null {
  const { views, ratings } = service.store.getState();
  if (!views) return null;
  const rows = VIEWS.map((view) => [view, rowsOf(views[view].table)] as const);
  return { ...Object.fromEntries(rows), ratings: rated(ratings?.list.top(1_000) ?? []) };
}

/** The same from the shop itself; best sellers of `day` alone, where it is given. */
export function truth(shop: Shop, from: string | null, day: string | null = WALL): Record<string, string[]> {
  const two = (n: unknown) => String(n).padStart(2, "0");
  const best = day === null ? null : new Set(["all", day.slice(0, 7), day]);
  const held = (view: View, period: string) => {
    if (view === "top_products") return best === null || best.has(period);
    return from === null || period >= from || !(view === "sales_per_category" || view === "sales_per_payment_method");
  };
  const rows = Object.fromEntries(
    VIEWS.map((view) => [
      view,
      [...(shop.views.get(view)?.values() ?? [])]
        .map(({ key: k, product = "", micros, orders, units, epoch }) => ({
          period: String(k.order_date ?? k.minute ?? k.period ?? `${String(k.year)}-${two(k.month)}`),
          text: `${String(k.currency)} ${String(k.category ?? k.payment_method ?? k.rank ?? "")} ${product} ${amountText(micros)} ${orders} ${units} @${epoch}`,
        }))
        .filter(({ period }) => held(view, period))
        .map(({ period, text }) => `${period} ${text}`)
        .sort(),
    ]),
  );
  return { ...rows, ratings: rated(shop.ratings.values()) };
}

/** A row of a view by day, with what may narrow it. */
export interface Known {
  readonly view: View;
  readonly period: string;
  readonly category: string | undefined;
  readonly payment_method: string | undefined;
  readonly product: string | undefined;
  readonly text: string;
}

/** All rows of the views by day and of the minutes, as the shop has them now. */
export function known(shop: Shop): Known[] {
  const text = (value: string | number | undefined) => (value === undefined ? undefined : String(value));
  return [...shop.views].flatMap(([view, rows]) =>
    [...rows.values()].map(({ key: k, micros, orders, units, epoch }) => {
      const period = String(k.order_date ?? k.minute);
      const [category, payment_method, product] = [text(k.category), text(k.payment_method), text(k.product)];
      const place = `${period} ${String(k.currency)} ${category ?? ""} ${payment_method ?? ""} ${product ?? ""}`;
      return { view, period, category, payment_method, product, text: `${place} ${amountText(micros)} ${orders} ${units} @${epoch}` };
    }),
  );
}

/** Those of them that a table holds, as text. */
export const heldOf = (rows: readonly Known[], { view, from, by }: Table): string[] =>
  rows
    .filter((row) => row.view === view && (from === null || row.period >= from))
    .filter((row) => (Object.keys(by) as (keyof Narrowing)[]).every((name) => by[name] === null || by[name] === row[name]))
    .map((row) => row.text)
    .sort();

/** A table's rows as such text. */
export const textOf = (table: Table): string[] =>
  [...table.entries()]
    .map((e) => `${e.period} ${e.currency} ${e.category} ${e.method} ${e.product} ${amountText(e.micros)} ${e.orders} ${e.units} @${e.epoch}`)
    .sort();

/** The tables beside the ledger's own. */
export const annexed = ({ slice, minutesBefore }: LiveState): Table[] =>
  [...Object.values(slice?.held.tables ?? {}), minutesBefore?.table].flatMap((table) => (table ? [table as Table] : []));

export const order = (id: string, change: Partial<Order> = {}): Order => ({
  id,
  day: WALL,
  category: "Books",
  payment_method: "CREDIT_CARD",
  currency: "EUR",
  micros: 12_340_000n,
  units: 1,
  ...change,
});

export async function started(events: Order[] = [order("a")], showing: Partial<Showing> = {}): Promise<Service> {
  const service = new Service(showing);
  service.shop.commit(events);
  service.store.start();
  await service.settle();
  return service;
}

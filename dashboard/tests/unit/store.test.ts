/**
 * The live store against a shop in memory. The last test is the one that matters: whatever happens to the
 * stream and however a load is interleaved with commits, the page ends with the store's own state, and shows
 * nothing but states that the store has been in.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rating, View } from "../../src/api/types";
import { amountText } from "../../src/live/amount";
import { loadSnapshot } from "../../src/live/snapshot";
import { LiveStore } from "../../src/live/store";
import type { StreamHandlers } from "../../src/live/stream";
import { VIEWS, type Table } from "../../src/live/table";
import { bestSellers } from "../../src/live/totals";
import { dayBefore } from "../mock/traffic.mjs";
import { Shop, type Order } from "../mock/shop.mjs";

const OFF = new Error("the view is switched off");
const WALL = "2026-11-22";

/** A service whose every answer waits until the test lets it go, so that any interleaving can be played. */
class Service {
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

  readonly store = new LiveStore(
    {
      openStream: (handlers) => {
        this.handlers = handlers;
        return { close: () => (this.handlers = null) };
      },
      loadSnapshot: (period, signal) =>
        loadSnapshot(
          {
            summary: () => this.#answer(() => this.shop.summary()),
            freshness: () => this.#answer(() => this.shop.freshness()),
            page: (view, parameters) =>
              this.#answer(() => {
                if (this.off === view) throw OFF;
                return this.shop.page(view, { ...parameters, limit: this.pageRows });
              }),
            ratings: (limit) => this.#answer(() => this.shop.ratingsPage(limit)),
            isViewOff: (fault) => fault === OFF,
          },
          period,
          WALL,
          () => 0,
          signal,
        ),
      scheduler: () => ({ request: () => undefined, cancel: () => undefined }),
      clock: () => 0,
      wall: () => WALL,
      delay: () => new Promise((resolve) => this.sleeping.push(resolve)),
    },
    "30",
  );

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
    this.connected = true;
    this.handlers?.opened();
    if (this.seen === null) {
      this.seen = this.shop.epoch;
      this.handlers?.hello(this.shop.place());
    } else this.deliver();
  }

  disconnect(): void {
    if (!this.connected) return;
    this.connected = false;
    this.handlers?.lost();
  }

  /** Sends what the stream has not seen, merged. */
  deliver(): void {
    if (!this.connected || this.seen === null || this.seen === this.shop.epoch) return;
    const changes = this.shop.changesSince(this.seen);
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
    this.connect();
    for (let round = 0; round < 200; round += 1) {
      this.deliver();
      this.store.flush();
      if (this.waiting.length > 0) await this.answer();
      else if (this.store.getState().loading) {
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

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A view as text, for comparison. */
function rowsOf(table: Table): string[] {
  return [...table.entries()]
    .map((e) => `${e.period} ${e.currency} ${e.label} ${e.product} ${amountText(e.micros)} ${e.orders} ${e.units} @${e.epoch}`)
    .sort();
}

const rated = (rows: Iterable<Rating>): string[] => [...rows].map((row) => JSON.stringify(row)).sort();

function shown(service: Service): Record<string, string[]> | null {
  const { views, ratings } = service.store.getState();
  if (!views) return null;
  const rows = VIEWS.map((view) => [view, rowsOf(views[view].table)] as const);
  return { ...Object.fromEntries(rows), ratings: rated(ratings?.list.top(1_000) ?? []) };
}

/** The same from the shop itself; best sellers of `day` alone, where it is given. */
function truth(shop: Shop, from: string | null, day: string | null = WALL): Record<string, string[]> {
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

const order = (id: string, change: Partial<Order> = {}): Order => ({
  id,
  day: WALL,
  category: "Books",
  payment_method: "CREDIT_CARD",
  currency: "EUR",
  micros: 12_340_000n,
  units: 1,
  ...change,
});

async function started(events: Order[] = [order("a")]): Promise<Service> {
  const service = new Service();
  service.shop.commit(events);
  service.store.start();
  await service.settle();
  return service;
}

describe("the live store", () => {
  it("shows the snapshot, then what changes", async () => {
    const service = await started();
    expect(service.store.getState()).toMatchObject({ ready: true, loading: false, epoch: 1, contact: "open" });

    service.shop.commit([order("b", { micros: 1n })]);
    service.deliver();
    expect(service.store.getState().epoch).toBe(1);
    service.store.flush();
    expect(service.store.getState().epoch).toBe(2);
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
  });

  it("asks for no second snapshot after a drop", async () => {
    const service = await started();
    service.disconnect();
    expect(service.store.getState()).toMatchObject({ contact: "lost", ready: true, epoch: 1 });
    service.shop.commit([order("b")]);
    service.shop.commit(["a"]);
    service.connect();
    expect(service.waiting).toHaveLength(0);
    service.store.flush();
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
  });

  it("keeps the old numbers, frozen, from a reset to the new snapshot", async () => {
    const service = await started();
    const before = shown(service);
    service.disconnect();
    service.shop.commit([order("b")]);
    service.shop.forget();
    service.connect();
    expect(service.store.getState()).toMatchObject({ frozen: true, loading: true, epoch: 1 });
    service.shop.commit([order("c")]);
    service.deliver();
    service.store.flush();
    expect(shown(service)).toEqual(before);
    await service.settle();
    expect(service.store.getState()).toMatchObject({ frozen: false, loading: false, epoch: 3 });
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
  });

  it("starts over when the store itself did", async () => {
    const service = await started([order("a"), order("b")]);
    service.shop.commit([order("c")]);
    await service.settle();
    service.restart();
    service.shop.commit([order("z")]);
    service.connect();
    await service.settle();
    expect(service.store.getState().epoch).toBe(1);
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
  });

  it("throws a load away that is older than the stream", async () => {
    const service = new Service();
    service.shop.commit([order("a")]);
    const old = service.shop;
    service.shop = new Shop();
    service.shop.commit([order("a")]);
    service.shop.commit([order("b")]);
    service.store.start();
    service.connect();
    const newer = service.shop;
    service.shop = old;
    while (service.waiting.length > 0) await service.answer();
    expect(service.store.getState().ready).toBe(false);
    service.shop = newer;
    await service.settle();
    expect(shown(service)).toEqual(truth(newer, "2026-10-24"));
  });

  it("lets no reset settle a load that misses what the stream skipped", async () => {
    const service = new Service();
    service.shop.commit([order("a")]);
    service.store.start();
    service.connect();
    for (let n = 0; n < 3; n += 1) await service.answer();
    service.shop.commit(["a"]);
    service.shop.forget();
    while (service.waiting.length > 0) await service.answer();
    service.deliver();
    expect(service.store.getState().ready).toBe(false);
    await service.settle();
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
  });

  it("says what a load failed of, and tries again", async () => {
    const service = new Service();
    service.shop.commit([order("a")]);
    service.failing = 1;
    service.store.start();
    service.connect();
    await service.answer();
    expect(service.store.getState()).toMatchObject({ problem: "the store is away", ready: false });
    await service.settle();
    expect(service.store.getState()).toMatchObject({ problem: null, ready: true });
  });

  it("shows a wider period only when all its rows are there", async () => {
    const service = await started([order("a"), order("b", { day: dayBefore(WALL, 60) })]);
    expect(service.store.getState().views?.sales_per_category.table.size).toBe(1);
    service.store.show("90");
    expect(service.store.getState()).toMatchObject({ wanted: "90", period: "30", loading: true });
    await service.settle();
    expect(service.store.getState()).toMatchObject({ period: "90", loading: false });
    expect(service.store.getState().views?.sales_per_category.table.size).toBe(2);
    service.store.show("30");
    expect(service.store.getState()).toMatchObject({ period: "30", loading: false });
    expect(service.waiting).toHaveLength(0);
  });

  it("takes a missing link in the chain for a reset", async () => {
    const service = await started();
    const before = shown(service);
    service.shop.commit([order("b")]);
    service.seen = service.shop.epoch;
    service.shop.commit([order("c")]);
    service.deliver();
    expect(service.store.getState()).toMatchObject({ frozen: true, epoch: 1 });
    expect(shown(service)).toEqual(before);
    await service.settle();
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
  });

  it("does without a view that is switched off", async () => {
    const service = new Service();
    service.off = "sales_per_month";
    service.shop.commit([order("a")]);
    service.store.start();
    await service.settle();
    expect([...service.store.getState().off]).toEqual(["sales_per_month"]);
    expect(shown(service)?.sales_per_day).toEqual(truth(service.shop, null).sales_per_day);
  });

  it("asks for nothing of the views that the service says are off, and shows the others", async () => {
    const service = new Service();
    for (const view of ["top_products", "ratings_per_product", "orders_per_minute", "products"]) service.shop.off.add(view);
    service.shop.completeFrom.set("sales_per_category", "2026-11-01");
    service.shop.commit([order("a")], { feedback: [{ product: "p", stars: 4, times: 1 }] });
    service.store.start();
    service.connect();
    let asked = 0;
    while (service.waiting.length > 0) {
      asked += 1;
      await service.answer();
    }
    expect(asked).toBe(6);
    await service.settle();
    const state = service.store.getState();
    expect([...state.off].sort()).toEqual(["orders_per_minute", "products", "ratings_per_product", "top_products"]);
    expect([...state.completeFrom]).toEqual([["sales_per_category", "2026-11-01"]]);
    expect(shown(service)?.sales_per_category).toEqual(truth(service.shop, null).sales_per_category);
    expect([shown(service)?.top_products, shown(service)?.ratings]).toEqual([[], []]);
  });

  it("patches best sellers, ratings and minutes", async () => {
    const service = await started([order("a", { product: "tea" })]);
    expect(bestOf(service)).toEqual(["tea"]);
    const before = service.store.getState();
    service.shop.commit([order("b", { product: "pot", micros: 99_000_000n })], {
      feedback: [{ product: "tea", stars: 5, times: 1 }],
      listings: [{ product: "pot", name: "Teapot", category: null, price: null }],
    });
    await service.settle();
    const after = service.store.getState();
    expect(bestOf(service)).toEqual(["pot", "tea"]);
    expect(after.ratings?.list.top(1)).toMatchObject([{ product: "tea", ratings: 1, average: "5.000000" }]);
    expect(after.ratings).not.toBe(before.ratings);
    expect([before.listedAt, after.listedAt]).toEqual([0, 2]);
    expect(service.waiting).toHaveLength(0);
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
    service.shop.commit([order("c", { product: "pot" })]);
    await service.settle();
    expect(service.store.getState().ratings).toBe(after.ratings);
  });

  it("loads the best sellers of another day when an archive sells again", async () => {
    const service = await started([order("a", { day: dayBefore(WALL, 40), product: "tea" })]);
    expect(service.store.getState()).toMatchObject({ anchor: dayBefore(WALL, 40), bestDay: dayBefore(WALL, 40) });
    service.shop.commit([order("b", { product: "pot" })]);
    service.deliver();
    service.store.flush();
    expect(service.store.getState()).toMatchObject({ anchor: WALL, bestDay: dayBefore(WALL, 40), loading: true });
    await service.settle();
    expect(service.store.getState()).toMatchObject({ bestDay: WALL, loading: false });
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
  });

  it("tells a service without its store from no service", async () => {
    const service = await started();
    service.handlers?.contact({ contact: false, epoch: 1, message: "connection refused" });
    expect(service.store.getState().contact).toBe("away");
    service.handlers?.contact({ contact: true, epoch: 1, message: null });
    expect(service.store.getState().contact).toBe("open");
  });

  it("gives the views that did not change the same identity", async () => {
    const service = await started();
    const before = service.store.getState().views;
    service.shop.commit([], { duplicates: 3 });
    await service.settle();
    const after = service.store.getState();
    expect(after.counts.duplicates).toBe(3);
    expect(after.views?.sales_per_day).toBe(before?.sales_per_day);
  });

  it("ends with the store's own state, whatever happens", { timeout: 120_000 }, async () => {
    const DAYS = [0, 1, 29, 30, 45, 100].map((back) => dayBefore(WALL, back));
    const IDS = ["a", "b", "c", "d", "e"];
    const event = fc.oneof(
      { weight: 3, arbitrary: fc.record({
        id: fc.constantFrom(...IDS),
        day: fc.constantFrom(...DAYS),
        category: fc.constantFrom("Books", "Toys"),
        payment_method: fc.constantFrom("CREDIT_CARD", "ORANGE_MONEY"),
        currency: fc.constantFrom("EUR", "FCFA"),
        product: fc.constantFrom("tea", "pot", "cup"),
        micros: fc.bigInt({ min: -5n, max: 10n ** 18n }),
        units: fc.integer({ min: 1, max: 3 }),
      }) },
      { weight: 1, arbitrary: fc.constantFrom(...IDS) },
    );
    const opinion = fc.record({
      product: fc.constantFrom("tea", "pot"),
      stars: fc.constantFrom(1 as const, 5 as const),
      times: fc.constantFrom(1 as const, -1 as const),
    });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant("commit" as const), events: fc.array(event, { maxLength: 3 }), feedback: fc.array(opinion, { maxLength: 1 }) }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant("answer" as const), nth: fc.nat(5), times: fc.integer({ min: 1, max: 6 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("deliver" as const, "flush" as const, "connect" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("disconnect" as const, "forget" as const, "wake" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("show" as const), period: fc.constantFrom("30" as const, "90" as const, "all" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 12 }), fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), async (first, steps, pageRows) => {
        const service = new Service();
        service.shop.commit(first.filter((e) => typeof e !== "string"));
        service.pageRows = pageRows;
        const past = new Map([[service.shop.epoch, truth(service.shop, null, null)]]);
        const wrong: string[] = [];
        service.store.subscribe(() => {
          const { epoch, views, ratings } = service.store.getState();
          if (ratings && rated(ratings.list.top(1_000)).join("\n") !== past.get(epoch)?.ratings?.join("\n")) {
            wrong.push(`ratings at ${epoch}`);
          }
          // Never a state between two: all rows are those of the epoch named.
          for (const view of VIEWS) {
            const table = views?.[view].table;
            if (!table) continue;
            const then = past.get(epoch)?.[view]?.filter((row) => table.holds(row.split(" ")[0] ?? ""));
            const rows = rowsOf(table);
            if (rows.join("\n") !== then?.join("\n")) wrong.push(`${view} at ${epoch}: ${rows.join("; ")}`);
          }
        });
        service.store.start();
        service.connect();
        for (const action of steps) {
          if (action.do === "commit") {
            const { shop } = service;
            // An order that is not there can not be cancelled.
            const known = action.events.filter((e) => typeof e !== "string" || shop.orders.has(e));
            const once = known.filter((e, at) => known.findIndex((o) => idOf(o) === idOf(e)) === at);
            // Nor can a rating that was not given.
            const feedback = action.feedback.filter(({ product, stars, times }) => times > 0 || given(shop, product, stars) > 0);
            shop.commit(once, { feedback: feedback.slice(0, 1) });
            past.set(shop.epoch, truth(shop, null, null));
          } else if (action.do === "answer") {
            for (let n = 0; n < action.times; n += 1) await service.answer(action.nth);
          }
          else if (action.do === "deliver") service.deliver();
          else if (action.do === "flush") service.store.flush();
          else if (action.do === "connect") service.connect();
          else if (action.do === "disconnect") service.disconnect();
          else if (action.do === "forget") service.shop.forget();
          else if (action.do === "show") service.store.show(action.period);
          else if (action.do === "fail") service.failing = 1;
          else service.sleeping.splice(0).forEach((wake) => { wake(); });
        }
        await service.settle();
        expect(wrong).toEqual([]);
        const state = service.store.getState();
        expect(state.epoch).toBe(service.shop.epoch);
        expect(state.period).toBe(state.wanted);
        expect(state.counts).toEqual(expect.objectContaining({ read: service.shop.counts.read }));
        const from = state.views?.sales_per_category.table.from ?? null;
        expect(state.bestDay).toBe(state.anchor);
        expect(shown(service)).toEqual(truth(service.shop, from, state.bestDay));
      }),
      { numRuns: 500 },
    );
  });
});

const bestOf = (service: Service): string[] => {
  const { views, bestDay } = service.store.getState();
  return views ? bestSellers(views.top_products.table, "EUR", bestDay).map(({ label }) => label) : [];
};

const given = (shop: Shop, product: string, stars: 1 | 5): number =>
  shop.ratings.get(product)?.[stars === 1 ? "ones" : "fives"] ?? 0;

const idOf = (event: Order | string): string => (typeof event === "string" ? event : event.id);

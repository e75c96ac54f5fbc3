/**
 * The live store against a shop in memory. The last test is the one that matters: whatever happens to the
 * stream and however a load is interleaved with commits, the page ends with the store's own state, and shows
 * nothing but states that the store has been in.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { narrowed, viewsOf, WIDE } from "../../src/live/holding";
import { VIEWS } from "../../src/live/table";
import { bestSellers } from "../../src/live/totals";
import { dayBefore } from "../mock/traffic.mjs";
import { Shop, type Order } from "../mock/shop.mjs";
import { annexed, heldOf, known, order, rated, rowsOf, Service, shown, started, textOf, truth, turn, WALL } from "./service";

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

  it("tells the time of the epoch that it shows, though that was read before all else", async () => {
    const [before, after] = [new Date("2026-11-22T11:00:00Z"), new Date("2026-11-22T12:00:00Z")];
    const service = new Service();
    service.shop.commit([order("a")], { at: before });
    service.store.start();
    service.connect();
    // How fresh the numbers are is asked for first.
    await service.answer();
    service.shop.commit([order("b")], { at: after });
    await service.settle();
    expect(service.store.getState()).toMatchObject({ epoch: 2, committedAt: after.getTime(), newestRecord: after.getTime() });
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
    service.store.show({ period: "90", narrowing: WIDE });
    expect(service.store.getState()).toMatchObject({ wanted: "90", period: "30", loading: true });
    await service.settle();
    expect(service.store.getState()).toMatchObject({ period: "90", loading: false });
    expect(service.store.getState().views?.sales_per_category.table.size).toBe(2);
    service.store.show({ period: "30", narrowing: WIDE });
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

  it("asks for no view that the service says is off, whichever", async () => {
    const service = new Service({ period: "today" });
    const off = VIEWS.filter((view) => view !== "sales_per_day");
    for (const view of off) service.shop.off.add(view);
    service.shop.commit([order("a")]);
    service.store.start();
    await service.settle();
    expect(new Set(service.asked)).toEqual(new Set(["sales_per_day"]));
    expect([...service.store.getState().off].sort()).toEqual([...off].sort());
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
    expect(after.relisted).not.toBe(before.relisted);
    expect(service.waiting).toHaveLength(0);
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
    service.shop.commit([order("c", { product: "pot" })]);
    await service.settle();
    expect(service.store.getState().ratings).toBe(after.ratings);
  });

  it("takes listings for others after what the stream may have left out, each time anew", async () => {
    const service = await started();
    const seen = [service.store.getState().relisted];
    const next = () => seen.push(service.store.getState().relisted);
    service.shop.commit([], { listings: [{ product: "tea", name: "Tea", category: null, price: null }] });
    await service.settle();
    next();
    // A reset, without a word of listings.
    service.shop.forget();
    service.shop.commit([order("b")]);
    service.shop.forget();
    await service.settle();
    next();
    // The store went back, to where a listing changes in an epoch that was seen before.
    service.restart();
    service.shop.commit([order("a")]);
    await service.settle();
    next();
    service.shop.commit([], { listings: [{ product: "tea", name: "Green tea", category: null, price: null }] });
    await service.settle();
    next();
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("hears of a listing that changed while the first ledger was loaded, and again after a rest", async () => {
    const service = new Service();
    service.shop.commit([order("a")]);
    service.store.start();
    service.connect();
    const { relisted } = service.store.getState();
    service.rest();
    service.shop.commit([], { listings: [{ product: "tea", name: "Tea", category: null, price: null }] });
    await service.settle();
    expect(service.store.getState()).toMatchObject({ ready: true, epoch: 2 });
    expect(service.store.getState().relisted).not.toBe(relisted);
  });

  it("takes listings for the same where the stream left nothing out", async () => {
    const service = new Service();
    service.shop.commit([order("a"), order("b", { day: dayBefore(WALL, 60) })]);
    service.store.start();
    const { relisted } = service.store.getState();
    await service.settle();
    service.disconnect();
    service.shop.commit([order("c")]);
    await service.settle();
    service.store.show({ period: "90", narrowing: WIDE });
    await service.settle();
    service.rest();
    await service.settle();
    expect(service.store.getState()).toMatchObject({ period: "90", epoch: 2 });
    expect(service.store.getState().relisted).toBe(relisted);
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

  it("goes by the service's clock where the reader's is days behind: from the first snapshot on, and over midnight", async () => {
    const DAY_MS = 86_400_000;
    const service = new Service({ period: "today" });
    const day = (at: number) => new Date(at).toISOString().slice(0, 10);
    service.clock = () => Date.now() - 3 * DAY_MS;
    service.wallAt = day;
    const now = Date.now();
    service.shop.commit([order("a", { day: day(now) }), order("b", { day: day(now - 3 * DAY_MS) })]);
    service.store.start();
    await service.settle();
    expect(service.store.getState()).toMatchObject({ anchor: day(now), bestDay: day(now) });
    service.clock = () => Date.now() - 2 * DAY_MS;
    service.turnDay();
    expect(service.store.getState().anchor).toBe(day(now + DAY_MS));
  });

  it("compares clocks anew where a commit seems to be of the future, and not where it is late", async () => {
    const service = await started();
    const { clockSkew } = service.store.getState();
    service.shop.commit([order("b")], { at: new Date(Date.now() - 60_000) });
    await service.settle();
    expect(service.store.getState().clockSkew).toBe(clockSkew);
    service.clock = () => -3_600_000;
    service.shop.commit([order("c")]);
    await service.settle();
    const set = service.store.getState().clockSkew - clockSkew - 3_600_000;
    expect(set).toBeGreaterThanOrEqual(0);
    expect(set).toBeLessThan(60_000);
  });

  it("loads nothing while nobody looks, over midnight too, and then goes on from where it was", async () => {
    const service = await started();
    service.rest();
    const before = service.asked.length;
    service.wall = "2026-11-23";
    service.turnDay();
    service.shop.commit([order("b", { micros: 1n })]);
    await turn();
    expect(service.waiting).toHaveLength(0);
    expect(service.store.getState()).toMatchObject({ contact: "resting", anchor: WALL, epoch: 1, ready: true });
    service.connect();
    service.store.flush();
    expect(service.store.getState()).toMatchObject({ contact: "open", anchor: "2026-11-23", epoch: 2, frozen: false });
    expect(service.asked.slice(before).every((view) => view === "top_products")).toBe(true);
    await service.settle();
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-25", "2026-11-23"));
  });

  it("drops what it was loading when it rests, and loads it when it is looked at", async () => {
    const service = await started();
    service.store.show({ period: "all", narrowing: WIDE });
    expect(service.waiting.length).toBeGreaterThan(0);
    service.rest();
    service.shop.commit([order("b")]);
    await service.settle();
    expect(service.store.getState()).toMatchObject({ period: "all", loading: false, contact: "open" });
    expect(shown(service)).toEqual(truth(service.shop, null));
  });

  it.each([["at once", false], ["before its network", true]])("catches up when it wakes %s: with a load that it dropped", async (_, lost) => {
    const service = new Service();
    service.shop.commit([order("a")]);
    service.store.start();
    service.connect();
    service.rest();
    if (lost) service.disconnect();
    service.shop.commit([order("b")]);
    await service.settle();
    expect(service.store.getState()).toMatchObject({ ready: true, loading: false, contact: "open" });
    // Another that it dropped while it was frozen.
    service.shop.forget();
    service.shop.commit([order("c")]);
    service.shop.forget();
    service.deliver();
    expect(service.store.getState()).toMatchObject({ frozen: true, loading: true });
    service.rest();
    if (lost) service.disconnect();
    await service.settle();
    expect(service.store.getState()).toMatchObject({ frozen: false, loading: false });
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
  });

  it.each([["at once", false], ["before its network", true]])("catches up when it wakes %s: with a day that turned", async (_, lost) => {
    const service = await started([order("a")], { period: "today" });
    service.rest();
    service.wall = "2026-11-23";
    service.turnDay();
    if (lost) service.disconnect();
    expect(service.store.getState().anchor).toBe(WALL);
    service.connect();
    expect(service.store.getState()).toMatchObject({ contact: "open", anchor: "2026-11-23" });
    // Once: a drop alone is no reason to load anything.
    await service.settle();
    const { length } = service.asked;
    service.disconnect();
    await service.settle();
    expect(service.asked).toHaveLength(length);
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
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("disconnect" as const, "forget" as const, "wake" as const, "rest" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("show" as const), period: fc.constantFrom("today" as const, "30" as const, "90" as const, "all" as const) }) },
      { weight: 2, arbitrary: fc.record({
        do: fc.constant("narrow" as const),
        narrowing: fc.record({
          category: fc.constantFrom(null, null, "Books", "Toys", "Games"),
          payment_method: fc.constantFrom(null, null, "CREDIT_CARD"),
          product: fc.constantFrom(null, null, "tea", "pot"),
        }),
      }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("switch" as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 12 }), fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), async (first, steps, pageRows) => {
        const service = new Service();
        service.shop.commit(first.filter((e) => typeof e !== "string"));
        service.pageRows = pageRows;
        const past = new Map([[service.shop.epoch, truth(service.shop, null, null)]]);
        const knownAt = new Map([[service.shop.epoch, known(service.shop)]]);
        const wrong: string[] = [];
        service.store.subscribe(() => {
          const state = service.store.getState();
          const { epoch, views, ratings } = state;
          for (const table of annexed(state)) {
            const rows = textOf(table).join("\n");
            const then = heldOf(knownAt.get(epoch) ?? [], table).join("\n");
            if (rows !== then) wrong.push(`${table.view} of ${JSON.stringify(table.by)} at ${epoch}: ${rows} is not ${then}`);
          }
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
            const there = action.events.filter((e) => typeof e !== "string" || shop.orders.has(e));
            const once = there.filter((e, at) => there.findIndex((o) => idOf(o) === idOf(e)) === at);
            // Nor can a rating that was not given.
            const feedback = action.feedback.filter(({ product, stars, times }) => times > 0 || given(shop, product, stars) > 0);
            shop.commit(once, { feedback: feedback.slice(0, 1) });
            past.set(shop.epoch, truth(shop, null, null));
            knownAt.set(shop.epoch, known(shop));
          } else if (action.do === "answer") {
            for (let n = 0; n < action.times; n += 1) await service.answer(action.nth);
          }
          else if (action.do === "deliver") service.deliver();
          else if (action.do === "flush") service.store.flush();
          else if (action.do === "connect") service.connect();
          else if (action.do === "disconnect") service.disconnect();
          else if (action.do === "rest") service.rest();
          else if (action.do === "forget") service.shop.forget();
          else if (action.do === "show") service.store.show({ period: action.period, narrowing: service.store.getState().wantedNarrowing });
          else if (action.do === "narrow") service.store.show({ period: service.store.getState().wanted, narrowing: action.narrowing });
          else if (action.do === "fail") service.failing = 1;
          // A job that is started again, with rows by product or without.
          else if (action.do === "switch") {
            service.disconnect();
            if (!service.shop.off.delete("sales_per_product")) service.shop.off.add("sales_per_product");
          }
          else service.sleeping.splice(0).forEach((wake) => { wake(); });
        }
        await service.settle();
        expect(wrong).toEqual([]);
        const state = service.store.getState();
        expect(state.epoch).toBe(service.shop.epoch);
        expect(state.period).toBe(state.wanted);
        expect(state.narrowing).toEqual(state.wantedNarrowing);
        const { by, views } = state.slice?.held ?? { by: WIDE, views: [] };
        expect(by).toEqual(state.narrowing);
        expect(views).toEqual(narrowed(by).length > 0 ? viewsOf(narrowed(by)).filter((view) => !state.off.has(view)) : []);
        for (const table of annexed(state)) expect(textOf(table)).toEqual(heldOf(known(service.shop), table));
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

/** What the page narrows to, against a shop in memory: only the slice is fetched, and old numbers stay until it is there. */
import { describe, expect, it } from "vitest";
import { WIDE, type Narrowing } from "../../src/live/holding";
import { dayBefore } from "../mock/traffic.mjs";
import { annexed, heldOf, known, order, Service, shown, started, textOf, truth, turn, WALL } from "./service";

const BOOKS: Narrowing = { ...WIDE, category: "Books" };
const CARDS: Narrowing = { ...BOOKS, payment_method: "CREDIT_CARD" };
const TEA: Narrowing = { ...WIDE, product: "tea" };

const narrow = (service: Service, narrowing: Narrowing) => {
  service.asked.splice(0);
  service.store.show({ period: service.store.getState().wanted, narrowing });
};
const views = (service: Service) => service.store.getState().slice?.held.views;
const isRight = (service: Service) => {
  const state = service.store.getState();
  expect(state.epoch).toBe(service.shop.epoch);
  for (const table of annexed(state)) expect(textOf(table)).toEqual(heldOf(known(service.shop), table));
};
const several = () => [
  order("a", { product: "tea" }),
  order("b", { category: "Toys", product: "pot" }),
  order("c", { payment_method: "CASH", product: "tea", day: dayBefore(WALL, 1) }),
  order("d", { product: "tea", day: dayBefore(WALL, 45) }),
  order("e", { product: "tea", day: dayBefore(WALL, 75) }),
];

describe("a slice", () => {
  it("alone is fetched, and the old numbers stay, and go on, until it is there", async () => {
    const service = await started(several());
    narrow(service, CARDS);
    expect(service.store.getState()).toMatchObject({ loading: true, narrowing: WIDE, wantedNarrowing: CARDS, slice: null });
    service.shop.commit([order("f")]);
    service.deliver();
    service.store.flush();
    expect(service.store.getState()).toMatchObject({ epoch: 2, narrowing: WIDE });
    await service.settle();
    expect(new Set(service.asked)).toEqual(new Set(["sales_facts"]));
    expect(service.store.getState()).toMatchObject({ loading: false, narrowing: CARDS });
    expect(shown(service)).toEqual(truth(service.shop, "2026-10-24"));
    isRight(service);
  });

  it("reaches back to what the period is compared with", async () => {
    const service = await started(several());
    narrow(service, BOOKS);
    await service.settle();
    expect(views(service)).toEqual(["sales_per_category", "sales_facts"]);
    const held = service.store.getState().slice?.held.tables.sales_per_category?.entries() ?? [];
    expect([...held].map(({ period }) => period).sort()).toEqual([dayBefore(WALL, 45), dayBefore(WALL, 1), WALL]);
  });

  it("is patched by the stream, removals too", async () => {
    const service = await started(several(), { narrowing: BOOKS });
    service.shop.commit([order("a", { category: "Toys" }), "c", order("g", { units: 7 })]);
    await service.settle();
    isRight(service);
    expect(service.waiting).toHaveLength(0);
  });

  it("keeps its identity while none of its rows changed", async () => {
    const service = await started(several(), { narrowing: BOOKS });
    const before = service.store.getState().slice;
    service.shop.commit([order("h", { category: "Toys" })]);
    await service.settle();
    expect(service.store.getState().slice).toBe(before);
    service.shop.commit([order("i")]);
    await service.settle();
    expect(service.store.getState().slice).not.toBe(before);
  });

  it("goes without a request when nothing narrows any more", async () => {
    const service = await started(several(), { narrowing: BOOKS });
    narrow(service, WIDE);
    expect(service.store.getState()).toMatchObject({ narrowing: WIDE, slice: null, loading: false });
    expect(service.asked).toEqual([]);
  });

  it("of a combination that no view holds asks for nothing", async () => {
    const service = await started(several());
    narrow(service, { ...TEA, category: "Books" });
    await service.settle();
    expect(service.asked).toEqual([]);
    expect(service.store.getState()).toMatchObject({ loading: false, narrowing: { product: "tea", category: "Books" } });
    expect(views(service)).toEqual([]);
  });

  it("asks for no view that is off", async () => {
    const service = await started([order("a")]);
    service.shop.off.add("sales_facts");
    service.shop.forget();
    service.disconnect();
    service.shop.commit([order("b")]);
    service.shop.forget();
    await service.settle();
    expect([...service.store.getState().off]).toEqual(["sales_facts"]);
    narrow(service, BOOKS);
    await service.settle();
    expect(new Set(service.asked)).toEqual(new Set(["sales_per_category"]));
    isRight(service);
  });

  it("is loaded again, and alone, for a period that reaches further back than it", async () => {
    const service = await started(several(), { narrowing: BOOKS });
    service.asked.splice(0);
    service.store.show({ period: `${dayBefore(WALL, 20)}..${WALL}`, narrowing: BOOKS });
    expect(service.store.getState().loading).toBe(false);
    service.store.show({ period: "90", narrowing: WIDE });
    await service.settle();
    service.store.show({ period: "30", narrowing: BOOKS });
    await service.settle();
    service.asked.splice(0);
    service.store.show({ period: "90", narrowing: BOOKS });
    await service.settle();
    expect(new Set(service.asked)).toEqual(new Set(["sales_per_category", "sales_facts"]));
    isRight(service);
  });
});

describe("a product", () => {
  it("is told by the stream, opened anew where it stood, with no new snapshot", async () => {
    const service = await started(several());
    narrow(service, TEA);
    expect(service.products).toEqual(["tea"]);
    service.shop.commit([order("f", { product: "tea" })]);
    await service.settle();
    expect(new Set(service.asked)).toEqual(new Set(["sales_per_product"]));
    expect(views(service)).toEqual(["sales_per_product"]);
    service.shop.commit([order("a", { product: "pot" }), "c", order("k", { product: "tea", currency: "FCFA" })]);
    await service.settle();
    isRight(service);
    expect(service.waiting).toHaveLength(0);
  });

  it("stays right until another one's rows are there, and is then told no more", async () => {
    const service = await started(several(), { narrowing: TEA });
    expect(service.followed).toBe(0);
    narrow(service, { ...WIDE, product: "pot" });
    expect(service.products).toEqual(["pot", "tea"]);
    service.shop.commit([order("a", { product: "pot" })]);
    service.connect();
    service.deliver();
    service.store.flush();
    expect(service.store.getState().narrowing).toEqual(TEA);
    isRight(service);
    await service.settle();
    expect(service.products).toEqual(["pot"]);
    expect(service.store.getState().narrowing.product).toBe("pot");
    isRight(service);
    narrow(service, WIDE);
    expect(service.products).toEqual([]);
    await service.settle();
    expect(service.asked).toEqual([]);
  });

  it("is not followed where its view is off, which a stream that names it does not survive", async () => {
    const service = new Service({ narrowing: TEA });
    service.shop.off.add("sales_per_product");
    service.shop.commit(several());
    service.store.start();
    service.connect();
    expect(service.store.getState()).toMatchObject({ contact: "lost", refused: 1 });
    await service.settle();
    expect(service.store.getState()).toMatchObject({ contact: "open", refused: 0, ready: true, narrowing: TEA });
    narrow(service, { ...WIDE, product: "pot" });
    expect(service.products).toEqual([]);
    await service.settle();
    expect([views(service), service.asked]).toEqual([[], []]);
  });

  it("goes with its view, and comes back with it, right from then on", async () => {
    const service = await started(several(), { narrowing: TEA });
    service.disconnect();
    service.shop.off.add("sales_per_product");
    service.connect();
    await turn();
    expect(service.store.getState()).toMatchObject({ frozen: true, loading: true });
    await service.settle();
    expect([service.products, views(service)]).toEqual([[], []]);
    service.disconnect();
    service.shop.off.clear();
    service.shop.commit([order("f")]);
    service.shop.forget();
    service.connect();
    while (service.waiting.length > 0) await service.answer();
    // Between the load and its numbers, on a stream that does not tell the product yet.
    service.shop.commit([order("g", { product: "tea" })]);
    await service.settle();
    expect([service.products, views(service)]).toEqual([["tea"], ["sales_per_product"]]);
    isRight(service);
  });
});

describe("the minutes that today is compared with", () => {
  it("are loaded once the numbers are shown, and patched by the stream", async () => {
    const service = new Service({ period: "today" });
    service.shop.commit(several());
    service.store.start();
    service.connect();
    while (!service.store.getState().ready) {
      await service.answer();
      service.store.flush();
    }
    expect(service.store.getState().minutesBefore).toBe(null);
    expect(service.waiting).toHaveLength(1);
    await service.settle();
    expect(service.store.getState().minutesBefore?.table.from?.slice(0, 10)).toMatch(/^2026-11-2[01]$/);
    const before = service.store.getState().minutesBefore;
    service.shop.commit([order("m"), "a"]);
    await service.settle();
    expect(service.store.getState().minutesBefore).not.toBe(before);
    isRight(service);
    expect(annexed(service.store.getState())).toHaveLength(1);
  });

  it("are not asked for where no day is compared with them", async () => {
    const service = await started(several(), { period: "7" });
    expect(service.waiting).toHaveLength(0);
    const narrowed = await started(several(), { period: "today", narrowing: BOOKS });
    expect(narrowed.waiting).toHaveLength(0);
  });
});

describe("midnight", () => {
  it("moves the periods on without an order, and asks for nothing", async () => {
    const service = await started(several(), { period: "today" });
    service.asked.splice(0);
    service.wall = "2026-11-23";
    service.turnDay();
    expect(service.store.getState()).toMatchObject({ anchor: "2026-11-23", bestDay: "2026-11-23", loading: false });
    service.shop.commit([order("n", { day: "2026-11-23", product: "pot" })]);
    await service.settle();
    expect(service.asked).toEqual([]);
    expect(service.waiting).toHaveLength(0);
    expect(shown(service)).toEqual(truth(service.shop, WALL, "2026-11-23"));
  });

  it("loads the best sellers of a day that had sales before it began", async () => {
    const service = await started(several(), { period: "today" });
    service.shop.commit([order("n", { day: "2026-11-24", product: "pot" })]);
    await service.settle();
    expect(service.store.getState().anchor).toBe(WALL);
    service.wall = "2026-11-23";
    service.turnDay();
    expect(service.store.getState()).toMatchObject({ anchor: "2026-11-24", bestDay: WALL, loading: true });
    await service.settle();
    expect(service.store.getState().bestDay).toBe("2026-11-24");
    expect(shown(service)).toEqual(truth(service.shop, "2026-11-24", "2026-11-24"));
  });
});

import { describe, expect, it } from "vitest";
import type { OrderVersion } from "../../src/api/types";
import { differing, effect } from "../../src/app/versions";
import { WIDE } from "../../src/live/holding";

const version = (changed: Partial<OrderVersion> = {}): OrderVersion => ({
  order_date: "2026-11-03",
  category: "Books",
  product: "1001",
  payment_method: "CASH",
  currency: "EUR",
  amount: "12.340000",
  units: 1,
  ...changed,
});
const NOVEMBER = { from: "2026-11-01", to: "2026-11-30" };

describe("what a correction changed", () => {
  it("is every column that differs", () => {
    expect(differing({ was: version(), now: version({ amount: "1.000000", units: 2 }) })).toEqual(["amount", "units"]);
    expect(differing({ was: version(), now: version({ category: null }) })).toEqual(["category"]);
    expect(differing({ was: version(), now: version({ currency: "USD" }) })).toEqual(["amount"]);
  });

  it("is the amount, of an order that came or went, and where nothing that is told differs", () => {
    expect(differing({ was: version(), now: null })).toEqual(["amount"]);
    expect(differing({ was: null, now: version() })).toEqual(["amount"]);
    expect(differing({ was: version(), now: version() })).toEqual(["amount"]);
  });
});

describe("the effect on a total", () => {
  const of = (was: OrderVersion | null, now: OrderVersion | null, by = WIDE) => effect({ was, now }, "EUR", NOVEMBER, by);

  it("is the difference of what counts in it", () => {
    expect(of(version(), version({ amount: "2.340000" }))).toBe(-10_000_000n);
    expect(of(version(), null)).toBe(-12_340_000n);
    expect(of(null, version())).toBe(12_340_000n);
  });

  it("is all of it where the order came into the filters or left them", () => {
    expect(of(version(), version({ order_date: "2026-12-01" }))).toBe(-12_340_000n);
    expect(of(version({ currency: "USD" }), version())).toBe(12_340_000n);
    const cash = { ...WIDE, payment_method: "CASH" };
    expect(of(version(), version({ payment_method: "PAYPAL" }), cash)).toBe(-12_340_000n);
    expect(of(version({ product: "1002" }), version(), { ...WIDE, product: "1001" })).toBe(12_340_000n);
  });

  it("is nothing where neither counts, and not known where the catalogue says the category", () => {
    expect(of(version({ currency: "USD" }), version({ currency: "USD", amount: "1.000000" }))).toBe(0n);
    const books = { ...WIDE, category: "Books" };
    expect(of(version(), version({ category: "Toys" }), books)).toBe(-12_340_000n);
    expect(of(version({ category: null }), version(), books)).toBeNull();
    expect(of(version({ category: null }), version())).toBe(0n);
  });
});

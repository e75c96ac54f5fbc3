import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelled, plain, rowsOf, sumOf, type Source } from "../../src/app/tables/rows";
import { daysInside } from "../../src/live/months";
import { addDays, within, type Span } from "../../src/live/period";
import type { Entry } from "../../src/live/table";

const ALL: Span = { from: null, to: null };

const entry = (period: string, label: string, currency: string, micros: bigint, orders = 1): Entry => ({
  period, label, currency, micros, orders, units: orders, epoch: 1, product: "", category: "", method: "",
});

const source = (entries: readonly Entry[], keep: Source["keep"] = () => true): Source => ({
  view: "sales_per_category",
  entries: () => entries,
  keep,
  label: ({ label }) => label,
});

const SOME = [
  entry("2026-10-31", "Books", "EUR", 5n),
  entry("2026-11-01", "Books", "EUR", 7n),
  entry("2026-11-01", "Toys", "EUR", 11n),
  entry("2026-11-02", "Toys", "USD", 100n),
  entry("2026-11-30", "Toys", "EUR", 13n),
];

describe("rows of a table", () => {
  it("are of one currency and the span, newest first, largest first within a day", () => {
    const rows = rowsOf("category", source(SOME), "EUR", { from: "2026-11-01", to: "2026-11-30" });
    expect(rows.map(({ period, label, micros }) => `${period} ${label} ${micros}`)).toEqual([
      "2026-11-30 Toys 13",
      "2026-11-01 Toys 11",
      "2026-11-01 Books 7",
    ]);
  });

  it("are added up by day and by month, of what is kept", () => {
    const text = (rows: readonly { period: string; micros: bigint; orders: number }[]) =>
      rows.map(({ period, micros, orders }) => `${period} ${micros} ${orders}`);
    expect(text(rowsOf("day", source(SOME), "EUR", ALL))).toEqual(["2026-11-30 13 1", "2026-11-01 18 2", "2026-10-31 5 1"]);
    expect(text(rowsOf("month", source(SOME), "EUR", ALL))).toEqual(["2026-11 31 3", "2026-10 5 1"]);
    const toys = source(SOME, ({ label }) => label === "Toys");
    expect(text(rowsOf("month", toys, "EUR", ALL))).toEqual(["2026-11 24 2"]);
  });

  it("sum to the same total, however they are told apart, beyond what a float holds", () => {
    const entries = fc.array(
      fc.record({
        day: fc.integer({ min: 0, max: 90 }).map((days) => addDays("2026-08-28", days)),
        label: fc.constantFrom("Books", "Toys", "Été"),
        currency: fc.constantFrom("EUR", "USD"),
        micros: fc.bigInt(-(10n ** 30n), 10n ** 30n),
      }),
    );
    const span = { from: "2026-09-10", to: "2026-11-05" };
    fc.assert(
      fc.property(entries, (list) => {
        const held = list.map(({ day, label, currency, micros }) => entry(day, label, currency, micros));
        const whole = sumOf(held.filter(({ currency, period }) => currency === "EUR" && within(period, span)));
        for (const kind of ["category", "day", "month"] as const) {
          expect(sumOf(rowsOf(kind, source(held), "EUR", span))).toEqual(whole);
        }
        expect(sumOf(labelled(source(held), "EUR", span))).toEqual(whole);
      }),
      { seed: 7 },
    );
  });
});

describe("the days of a row", () => {
  it("are its day, or those of its month within the span", () => {
    expect(daysInside("2026-11-03", ALL)).toEqual({ from: "2026-11-03", to: "2026-11-03" });
    expect(daysInside("2024-02", ALL)).toEqual({ from: "2024-02-01", to: "2024-02-29" });
    expect(daysInside("2026-12", ALL)).toEqual({ from: "2026-12-01", to: "2026-12-31" });
    expect(daysInside("2026-11", { from: "2026-10-28", to: "2026-11-26" })).toEqual({ from: "2026-11-01", to: "2026-11-26" });
    expect(daysInside("2026-10", { from: "2026-10-28", to: "2026-11-26" })).toEqual({ from: "2026-10-28", to: "2026-10-31" });
  });
});

it("searching minds neither case nor accents", () => {
  expect(plain("Café MOULU")).toBe("cafe moulu");
  expect(plain("Été")).toBe(plain("ETE"));
});

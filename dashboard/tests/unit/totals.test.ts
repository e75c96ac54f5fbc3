import { describe, expect, it } from "vitest";
import { anchorOf, covers, daysBetween, spanOf } from "../../src/live/period";
import { Table } from "../../src/live/table";
import { boundsOf, counted, perCurrency, perDay, perLabel } from "../../src/live/totals";

const row = (order_date: string, currency: string, total_sales: string, epoch = 1) => ({
  order_date,
  currency,
  total_sales,
  orders: 1,
  units: 2,
  epoch,
});

function days(...rows: ReturnType<typeof row>[]): Table {
  const table = new Table("sales_per_day", null);
  for (const each of rows) table.put(each);
  return table;
}

describe("a table", () => {
  it("lets the newer epoch win, in whatever order they come", () => {
    const table = days(row("2026-11-22", "EUR", "2.000000", 5), row("2026-11-22", "EUR", "1.000000", 4));
    expect([...table.entries()].map(({ micros }) => micros)).toEqual([2_000_000n]);
    expect(table.remove({ order_date: "2026-11-22", currency: "EUR" }, 4)).toBe(false);
    expect(table.remove({ order_date: "2026-11-22", currency: "EUR" }, 5)).toBe(true);
    expect(table.size).toBe(0);
  });

  it("takes no two rows for one, whatever their labels", () => {
    const table = new Table("sales_per_category", null);
    const of = (currency: string, category: string) => ({ ...row("2026-11-22", currency, "1.000000"), category });
    for (const each of [of("A", "B C"), of("A B", "C"), of("A", " B C"), of("A", "")]) table.put(each);
    expect(table.size).toBe(4);
  });
});

describe("sums", () => {
  it("are exact, and each currency's own", () => {
    const table = days(
      row("2026-11-21", "EUR", "9007199254740993.010000"),
      row("2026-11-22", "EUR", "0.020000"),
      row("2026-11-22", "FCFA", "500.000000"),
    );
    const sums = perCurrency(table, { from: null, to: null });
    expect(sums.get("EUR")?.micros).toBe(9_007_199_254_740_993_030_000n);
    expect(sums.get("FCFA")?.micros).toBe(500_000_000n);
    expect(counted(sums)).toEqual({ orders: 3, units: 6 });
  });

  it("count the days of the span alone, the first and the last with them", () => {
    const table = days(...["2026-10-23", "2026-10-24", "2026-11-22", "2026-11-23"].map((day) => row(day, "EUR", "1.000000")));
    expect(perCurrency(table, spanOf("30", "2026-11-22")).get("EUR")?.orders).toBe(2);
    expect(perCurrency(table, spanOf("all", "2026-11-22")).get("EUR")?.orders).toBe(4);
  });

  it("draw days without sales as nothing, and all currencies on one axis", () => {
    const table = days(row("2026-11-19", "FCFA", "1.000000"), row("2026-11-21", "EUR", "3.000000"));
    const series = perDay(table, "EUR", { from: null, to: null }, "2026-11-22");
    expect(series.map(({ period, micros }) => [period, micros])).toEqual([
      ["2026-11-19", 0n],
      ["2026-11-20", 0n],
      ["2026-11-21", 3_000_000n],
      ["2026-11-22", 0n],
    ]);
    expect(perDay(table, "EUR", spanOf("30", "2026-11-22"), "2026-11-22")).toHaveLength(30);
  });

  it("do not draw a million empty days for one order of long ago", () => {
    const table = days(row("0001-01-01", "EUR", "1.000000"), row("2026-11-21", "EUR", "3.000000"));
    expect(perDay(table, "EUR", { from: null, to: null }, "2026-11-22")).toHaveLength(2);
  });

  it("have a first and a last day, however long all time is", () => {
    const table = days(row("2019-03-01", "EUR", "1.000000"), row("2026-11-21", "FCFA", "3.000000"));
    const all = { from: null, to: null };
    expect(boundsOf(table, all, "2026-11-22")).toEqual({ from: "2019-03-01", to: "2026-11-22" });
    expect(boundsOf(table, all, "2026-11-20")).toEqual({ from: "2019-03-01", to: "2026-11-21" });
    expect(boundsOf(days(), all, "2026-11-22")).toBeNull();
    expect(boundsOf(days(), spanOf("7", "2026-11-22"), "2026-11-22")).toEqual({ from: "2026-11-16", to: "2026-11-22" });
  });

  it("rank categories by total, then by name", () => {
    const table = new Table("sales_per_category", null);
    for (const [category, total] of [["Toys", "1.0"], ["Books", "1.0"], ["Art", "2.0"]] as const) {
      table.put({ ...row("2026-11-22", "EUR", total), category });
    }
    expect(perLabel(table, "EUR", { from: null, to: null }).map(({ label }) => label)).toEqual(["Art", "Books", "Toys"]);
  });
});

describe("the last day shown", () => {
  it("is the newest with sales, but none of the far future", () => {
    expect(anchorOf(["2026-11-20", "2026-11-23", "2099-01-01"], "2026-11-22")).toBe("2026-11-23");
    expect(anchorOf(["2023-10-01"], "2026-11-22")).toBe("2023-10-01");
    expect(anchorOf(["2099-01-01"], "2026-11-22")).toBe("2099-01-01");
    expect(anchorOf([], "2026-11-22")).toBe("2026-11-22");
  });

  it("knows which rows a period needs", () => {
    expect(covers("2026-10-24", spanOf("30", "2026-11-22").from)).toBe(true);
    expect(covers("2026-10-24", spanOf("90", "2026-11-22").from)).toBe(false);
    expect(covers("2026-10-24", null)).toBe(false);
    expect(covers(null, null)).toBe(true);
    expect(daysBetween("2026-02-28", "2026-03-01")).toBe(2);
  });
});

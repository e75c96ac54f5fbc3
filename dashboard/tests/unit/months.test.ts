import { describe, expect, it } from "vitest";
import { monthsOf, rangeOfPart, yearsOf } from "../../src/live/months";
import type { Entry } from "../../src/live/table";
import type { Rows } from "../../src/live/totals";

const entry = (period: string, micros: bigint, currency = "EUR"): Entry =>
  ({ period, label: "", product: "", currency, micros, orders: 1, units: 2, epoch: 1 }) as Entry;
const rows = (...entries: Entry[]): Rows => ({ entries: () => entries });
const days = rows(
  entry("2025-12-31", 1n),
  entry("2026-01-01", 2n),
  entry("2026-01-31", 4n),
  entry("2026-01-31", 900n, "USD"),
  entry("2026-02-01", 8n),
);
const months = rows(entry("2025-12", 100n), entry("2026-01", 6n), entry("2026-02", 50n), entry("2026-02", 7n, "USD"));

describe("months", () => {
  it("are cut by the period, and tell the whole beside it", () => {
    const found = monthsOf(days, months, "EUR", { from: "2026-01-15", to: "2026-02-28" });
    expect(found.map(({ part, inside, whole }) => [part, inside.micros, whole?.micros])).toEqual([
      ["2025-12", 0n, 100n],
      ["2026-01", 4n, 6n],
      ["2026-02", 8n, 50n],
    ]);
  });

  it("are those of the period alone where no whole is held", () => {
    const found = monthsOf(days, null, "EUR", { from: "2026-01-01", to: "2026-01-31" });
    expect(found.map(({ part, inside, whole }) => [part, inside.micros, whole])).toEqual([["2026-01", 6n, null]]);
  });

  it("sum up to years", () => {
    const years = yearsOf(monthsOf(days, months, "EUR", { from: null, to: null }));
    expect(years.map(({ part, inside, whole }) => [part, inside.micros, inside.units, whole?.micros])).toEqual([
      ["2025", 1n, 2, 100n],
      ["2026", 14n, 6, 56n],
    ]);
  });

  it("and years are ranges of days", () => {
    expect(rangeOfPart("2024-02")).toBe("2024-02-01..2024-02-29");
    expect(rangeOfPart("2026-12")).toBe("2026-12-01..2026-12-31");
    expect(rangeOfPart("2026-04")).toBe("2026-04-01..2026-04-30");
    expect(rangeOfPart("2026")).toBe("2026-01-01..2026-12-31");
  });
});

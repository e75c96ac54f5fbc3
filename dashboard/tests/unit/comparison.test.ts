import { describe, expect, it } from "vitest";
import { changeOf, changeOfAverage, clockIn, comparisonOf, instantAt, soldFrom, sumsOver } from "../../src/live/comparison";
import type { Entry } from "../../src/live/table";
import type { Rows } from "../../src/live/totals";

const entry = (period: string, currency: string, micros: bigint, orders: number): Entry =>
  ({ period, label: "", product: "", currency, micros, orders, units: orders, epoch: 1 }) as Entry;
const rows = (...entries: Entry[]): Rows => ({ entries: () => entries });

describe("what a period is compared with", () => {
  const wall = "2026-11-22";

  it("is all of its days, where they are over", () => {
    expect(comparisonOf("yesterday", wall, wall, null)).toEqual({
      now: { from: "2026-11-21", to: "2026-11-21" },
      before: { from: "2026-11-20", to: "2026-11-20" },
      clock: null,
    });
    expect(comparisonOf("2026-11-01..2026-11-07", wall, wall, "14:32")).toEqual({
      now: { from: "2026-11-01", to: "2026-11-07" },
      before: { from: "2026-10-25", to: "2026-10-31" },
      clock: null,
    });
  });

  it("is all of an archive's last days, which are over", () => {
    expect(comparisonOf("7", "2024-05-31", wall, null)?.now).toEqual({ from: "2024-05-25", to: "2024-05-31" });
  });

  it("is today until the clock time, where the day before is known until then", () => {
    expect(comparisonOf("today", wall, wall, "14:32")).toEqual({
      now: { from: wall, to: wall },
      before: { from: "2026-11-21", to: "2026-11-21" },
      clock: "14:32",
    });
    expect(comparisonOf("today", wall, wall, null)).toBeNull();
  });

  it("leaves out the day that is not over on both sides, so that each keeps its day of the week", () => {
    expect(comparisonOf("7", wall, wall, null)).toEqual({
      now: { from: "2026-11-16", to: "2026-11-21" },
      before: { from: "2026-11-09", to: "2026-11-14" },
      clock: null,
    });
    // Minutes are of one day: of several the newest is left out all the same.
    expect(comparisonOf("30", wall, wall, "14:32")?.before).toEqual({ from: "2026-09-24", to: "2026-10-22" });
  });

  it("of a month or a year so far, is the same days of the one before", () => {
    expect(comparisonOf("month", "2026-03-31", "2026-03-31", null)).toEqual({
      now: { from: "2026-03-01", to: "2026-03-30" },
      before: { from: "2026-02-01", to: "2026-02-28" },
      clock: null,
    });
    expect(comparisonOf("year", wall, wall, null)?.before).toEqual({ from: "2025-01-01", to: "2025-11-21" });
    expect(comparisonOf("month", "2026-03-01", "2026-03-01", null), "nothing of it is over").toBeNull();
  });

  it("leaves out days that are yet to come", () => {
    expect(comparisonOf("2026-11-20..2026-11-24", wall, wall, "14:32")).toEqual({
      now: { from: "2026-11-20", to: "2026-11-21" },
      before: { from: "2026-11-15", to: "2026-11-16" },
      clock: null,
    });
    expect(comparisonOf("2026-12-01..2026-12-02", wall, wall, null)).toBeNull();
  });

  it("is nothing for all time", () => {
    expect(comparisonOf("all", wall, wall, "14:32")).toBeNull();
  });
});

describe("a change", () => {
  it("is in thousandths of what was before, rounded half up", () => {
    expect(changeOf(1_123_450_000n, 1_000_000_000n)).toBe(123);
    expect(changeOf(1_000_500n, 1_000_000n)).toBe(1);
    expect(changeOf(999_500n, 1_000_000n)).toBe(0);
    expect(changeOf(999_499n, 1_000_000n)).toBe(-1);
    expect(changeOf(0n, 5n)).toBe(-1_000);
  });

  it("is none where nothing was, or what was is below nothing", () => {
    expect(changeOf(5n, 0n)).toBe("new");
    expect(changeOf(0n, 0n)).toBeNull();
    expect(changeOf(-5n, 0n)).toBeNull();
    expect(changeOf(5n, -1n)).toBeNull();
  });

  it("of the average is that of the fractions, not of what they round to", () => {
    const sum = (micros: bigint, orders: number) => ({ micros, orders, units: 0 });
    expect(changeOfAverage(sum(10n, 3), sum(9n, 3))).toBe(111);
    expect(changeOfAverage(sum(10n, 3), sum(20n, 6))).toBe(0);
    expect(changeOfAverage(sum(0n, 0), sum(20n, 6))).toBeNull();
    expect(changeOfAverage(sum(10n, 1), sum(0n, 0))).toBe("new");
  });
});

describe("clocks", () => {
  it("show their zone's time", () => {
    const noon = Date.UTC(2026, 10, 22, 12, 5);
    expect(clockIn("Europe/Paris", noon)).toBe("13:05");
    expect(clockIn("Africa/Dakar", noon)).toBe("12:05");
    expect(clockIn("Asia/Kolkata", Date.UTC(2026, 10, 22, 18, 30))).toBe("00:00");
  });

  it("are read backwards, on the days when they are changed as well", () => {
    expect(instantAt("Europe/Paris", "2026-11-22", "13:05")).toBe(Date.UTC(2026, 10, 22, 12, 5));
    expect(instantAt("Asia/Kolkata", "2026-11-22", "00:00")).toBe(Date.UTC(2026, 10, 21, 18, 30));
    expect(instantAt("Europe/Paris", "2026-03-29", "00:00")).toBe(Date.UTC(2026, 2, 28, 23, 0));
    expect(instantAt("Europe/Paris", "2026-03-29", "12:00")).toBe(Date.UTC(2026, 2, 29, 10, 0));
    expect(instantAt("Europe/Paris", "2026-10-25", "12:00")).toBe(Date.UTC(2026, 9, 25, 11, 0));
  });
});

describe("what was sold after the clock time", () => {
  const day = "2026-11-21";
  const days = rows(entry(day, "EUR", 30n, 3), entry(day, "FCFA", 5n, 1), entry("2026-11-22", "EUR", 99n, 9));
  const minutes = rows(
    entry("2026-11-21T08:00:00.000Z", "EUR", 10n, 1),
    entry("2026-11-21T14:31:00.000Z", "EUR", 10n, 1),
    entry("2026-11-21T14:32:00.000Z", "EUR", 10n, 1),
    entry("2026-11-21T23:59:00.000Z", "FCFA", 5n, 1),
    entry("2026-11-22T00:00:00.000Z", "EUR", 7n, 1),
  );

  it("is what the minutes from then on hold, by currency", () => {
    const later = soldFrom(minutes, days, "Africa/Dakar", day, "14:32");
    expect(later).toEqual(
      new Map([
        ["EUR", { micros: 10n, orders: 1, units: 1 }],
        ["FCFA", { micros: 5n, orders: 1, units: 1 }],
      ]),
    );
    expect(sumsOver(days, { from: day, to: day }, later)).toEqual(
      new Map([
        ["EUR", { micros: 20n, orders: 2, units: 2 }],
        ["FCFA", { micros: 0n, orders: 0, units: 0 }],
      ]),
    );
  });

  it("is not known where the minutes are not those of the day's orders", () => {
    expect(soldFrom(rows(), days, "Africa/Dakar", day, "14:32"), "none are held").toBeNull();
    const flood = rows(...minutes.entries(), entry("2026-11-21T09:00:00.000Z", "EUR", 1n, 400));
    expect(soldFrom(flood, days, "Africa/Dakar", day, "14:32"), "orders of other days came in it").toBeNull();
    const other = rows(entry("2026-11-21T20:00:00.000Z", "USD", 1n, 4));
    expect(soldFrom(other, days, "Africa/Dakar", day, "14:32"), "more than the day has").toBeNull();
  });

  it("is nothing before a day without sales has one", () => {
    expect(soldFrom(rows(), rows(), "Africa/Dakar", day, "14:32")).toEqual(new Map());
  });
});

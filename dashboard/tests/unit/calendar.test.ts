import { describe, expect, it } from "vitest";
import { calendarOf, shadeOf, shadesOf } from "../../src/live/calendar";

const sum = (micros: bigint) => ({ period: "", micros, orders: 1, units: 1 });

describe("a year's calendar", () => {
  it("has each day once, in weeks from Monday", () => {
    const days = calendarOf("2026");
    expect(days).toHaveLength(365);
    // 2026 begins on a Thursday.
    expect(days[0]).toEqual({ day: "2026-01-01", week: 0, weekday: 3 });
    expect(days[4]).toEqual({ day: "2026-01-05", week: 1, weekday: 0 });
    expect(days.at(-1)).toEqual({ day: "2026-12-31", week: 52, weekday: 3 });
    expect(new Set(days.map(({ week, weekday }) => week * 7 + weekday)).size).toBe(365);
  });

  it("has a leap day, and a year that begins on a Monday", () => {
    const days = calendarOf("2024");
    expect(days).toHaveLength(366);
    expect(days[0]).toEqual({ day: "2024-01-01", week: 0, weekday: 0 });
  });
});

describe("shades", () => {
  it("have a fifth of the days each", () => {
    const shades = shadesOf(Array.from({ length: 10 }, (_, at) => sum(BigInt(at + 1))));
    const dealt = Array.from({ length: 10 }, (_, at) => shadeOf(BigInt(at + 1), shades));
    expect(dealt).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
  });

  it("are not paled by one huge day, and begin at nothing", () => {
    const shades = shadesOf([sum(1n), sum(2n), sum(3n), sum(4n), sum(1_000_000n), sum(0n), sum(-5n)]);
    expect([0n, -5n, 1n, 4n, 1_000_000n].map((micros) => shadeOf(micros, shades))).toEqual([0, 0, 1, 4, 5]);
  });

  it("of one day, or of none, are shades", () => {
    expect(shadeOf(7n, shadesOf([sum(7n)]))).toBe(5);
    expect(shadeOf(7n, shadesOf([]))).toBe(5);
  });
});

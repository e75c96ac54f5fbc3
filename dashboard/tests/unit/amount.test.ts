import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amountText, averageOf, parseAmount, placesNeeded, shareOf } from "../../src/live/amount";

describe("amounts", () => {
  it.each([
    ["12.340000", 12_340_000n],
    ["-0.000001", -1n],
    ["0", 0n],
    ["9007199254740993.123456", 9_007_199_254_740_993_123_456n],
    ["12.5", 12_500_000n],
  ])("reads %s exactly", (text, micros) => {
    expect(parseAmount(text)).toBe(micros);
  });

  it.each(["", "1.2345678", "1e3", "+1", "1,5", "NaN", ".5", "1.", " 1"])("refuses %j", (text) => {
    expect(() => parseAmount(text)).toThrow(RangeError);
  });

  it("writes what it reads", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (micros) => {
        expect(parseAmount(amountText(micros))).toBe(micros);
      }),
    );
  });

  it("knows how many places an amount needs", () => {
    expect([12_000_000n, 12_500_000n, 1n, -120_000n, 0n].map(placesNeeded)).toEqual([0, 1, 6, 2, 0]);
  });

  it("tells no share where there is none", () => {
    expect(shareOf(1n, 3n)).toBe(0.3333);
    expect(shareOf(1n, 0n)).toBeNull();
    expect(shareOf(-1n, 3n)).toBeNull();
  });
});

describe("averages", () => {
  it("are rounded half up to the minor unit", () => {
    expect(averageOf(10_000_000n, 3, 2)).toBe(3_330_000n);
    expect(averageOf(10_005_000n, 1, 2)).toBe(10_010_000n);
    expect(averageOf(10_004_999n, 1, 2)).toBe(10_000_000n);
    expect(averageOf(2_500_000n, 1, 0)).toBe(3_000_000n);
    expect(averageOf(-2_500_000n, 1, 0)).toBe(-2_000_000n);
    expect(averageOf(-10_000_000n, 3, 2)).toBe(-3_330_000n);
    expect(averageOf(1n, 1, 6)).toBe(1n);
    expect(averageOf(5n, 0, 2)).toBeNull();
  });

  it("are exact beyond what a float holds", () => {
    expect(averageOf(9_007_199_254_740_993_000_001n, 1, 6)).toBe(9_007_199_254_740_993_000_001n);
  });
});

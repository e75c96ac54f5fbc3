import { describe, expect, it } from "vitest";
import { checkOf } from "../../src/app/explain/check";
import { seenWith, type Seen } from "../../src/app/lists";

const at = (first: number, last = first) => ({ first, last });

describe("the check of a total", () => {
  it("is exact where all parts sum to it, at whatever epoch", () => {
    expect(checkOf({ micros: 10n, epochs: at(7) }, true, 10n, 7)).toEqual({ is: "exact" });
    expect(checkOf({ micros: 10n, epochs: at(6, 8) }, true, 10n, 7)).toEqual({ is: "exact" });
  });

  it("does not judge while parts are missing", () => {
    expect(checkOf({ micros: 10n, epochs: at(7) }, false, 10n, 7)).toEqual({ is: "part" });
  });

  it("names the epochs where the parts were read at others", () => {
    expect(checkOf({ micros: 10n, epochs: at(6) }, true, 11n, 7)).toEqual({ is: "moved", epochs: at(6), of: 7 });
    expect(checkOf({ micros: 10n, epochs: at(6, 7) }, true, 11n, 7)).toEqual({ is: "moved", epochs: at(6, 7), of: 7 });
  });

  it("says by how much they differ at one epoch, to the millionth beyond any float", () => {
    const total = 10n ** 30n;
    expect(checkOf({ micros: total + 1n, epochs: at(7) }, true, total, 7)).toEqual({ is: "differs", by: 1n, of: 7 });
  });
});

it("what was seen grows page by page, with the epochs it is of", () => {
  const nothing: Seen = { rows: 0, micros: 0n, epochs: null };
  const pages: readonly [number, bigint, number][] = [[50, 5n, 41], [50, 7n, 43], [3, -2n, 42]];
  const seen = pages.reduce((before, page) => seenWith(before, ...page), nothing);
  expect(seen).toEqual({ rows: 103, micros: 10n, epochs: at(41, 43) });
});

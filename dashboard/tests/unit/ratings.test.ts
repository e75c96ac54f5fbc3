import { describe, expect, it } from "vitest";
import type { Rating } from "../../src/api/types";
import { Ratings } from "../../src/live/ratings";

const row = (product: string, ratings: number, epoch = 1, average = "4.000000"): Rating => ({
  product,
  ratings,
  average,
  ones: 0,
  twos: 0,
  threes: 0,
  fours: ratings,
  fives: 0,
  epoch,
});
const top = (ratings: Ratings, count = 10) => ratings.top(count).map(({ product }) => product);

describe("the most rated products", () => {
  it("are ordered by number, then by average, then by name", () => {
    const ratings = new Ratings();
    ratings.load([row("c", 2), row("b", 2), row("a", 2, 1, "3.999999"), row("d", 10)], false);
    expect(top(ratings)).toEqual(["d", "b", "c", "a"]);
    expect(top(ratings, 1)).toEqual(["d"]);
  });

  it("let the newer epoch win, in whatever order they come", () => {
    const ratings = new Ratings();
    ratings.load([row("a", 3, 5)], false);
    expect(ratings.put(row("a", 9, 4))).toBe(false);
    expect(ratings.remove("a", 4)).toBe(false);
    expect(ratings.put(row("a", 4, 6))).toBe(true);
    expect(ratings.top(1)[0]?.ratings).toBe(4);
    expect(ratings.remove("a", 6)).toBe(true);
    expect(ratings.size).toBe(0);
  });

  it("leave out what may not be the next, where others are not held", () => {
    const ratings = new Ratings();
    ratings.load([row("a", 9), row("b", 5), row("c", 5)], true);
    // One that was not held rises; one that was falls below others that are not held.
    expect(ratings.put(row("d", 4, 2))).toBe(false);
    expect(ratings.put(row("d", 5, 3))).toBe(true);
    expect(ratings.put(row("a", 4, 3))).toBe(true);
    expect(top(ratings)).toEqual(["b", "c", "d"]);
  });

  it("never grow without bound", () => {
    const ratings = new Ratings();
    for (let number = 0; number < 5_000; number += 1) ratings.put(row(`p${number}`, number, number + 1));
    expect(ratings.size).toBeLessThan(500);
    expect(top(ratings, 3)).toEqual(["p4999", "p4998", "p4997"]);
  });
});

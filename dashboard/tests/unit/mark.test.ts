import { expect, it } from "vitest";
import { exactText, markOf, marks } from "../../src/live/mark";

it("says which rows of which view a number sums up", () => {
  expect(markOf("sources", "read")).toBe("sources.read");
  expect(markOf("sales_per_category", "total_sales", { from: "2026-11-01", to: null, currency: "EUR", category: "A & B" })).toBe(
    "sales_per_category.total_sales?from=2026-11-01&currency=EUR&category=A+%26+B",
  );
});

it("gives the value as SQL does", () => {
  expect([exactText(1_230_000n), exactText(-1n), exactText(7), exactText("4.500000")]).toEqual(["1.230000", "-0.000001", "7", "4.500000"]);
  expect(marks(undefined, 1n)).toEqual({});
});

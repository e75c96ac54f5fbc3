import { describe, expect, it } from "vitest";
import { moved, narrowingOf } from "../../src/app/address";

describe("the address", () => {
  it("holds what differs from the default", () => {
    expect(moved("", { period: "90" })).toBe("?period=90");
    expect(moved("?period=90", { period: "30" })).toBe("");
    expect(moved("?period=90", { category: "Books & Co" })).toBe("?period=90&category=Books+%26+Co");
    expect(moved("?category=Books", { category: null })).toBe("");
  });

  it("narrows to what it names, and an empty name to nothing", () => {
    expect(narrowingOf("?category=Books+%26+Co&product=1001")).toEqual({ category: "Books & Co", payment_method: null, product: "1001" });
    expect(narrowingOf("?category=&payment_method=&product")).toEqual({ category: null, payment_method: null, product: null });
  });

  it("forgets a table's page, order and search with the table", () => {
    const query = "?view=tables&table=day&sort=orders&order=asc&search=x&page=3&period=90";
    expect(moved(query, { table: "month" })).toBe("?view=tables&table=month&period=90");
    expect(moved(query, { view: "overview" })).toBe("?table=day&period=90");
    expect(moved(query, { page: "4" })).toBe(query.replace("page=3", "page=4"));
  });
});

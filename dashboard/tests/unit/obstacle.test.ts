import { describe, expect, it } from "vitest";
import { obstacles } from "../../src/app/filters/obstacle";
import { WIDE } from "../../src/live/holding";

const by = (values: Partial<typeof WIDE>) => ({ ...WIDE, ...values });

describe("what stands in a panel's way", () => {
  it("is nothing where a view holds it, or where no filter is set", () => {
    expect(obstacles(WIDE, "category", new Set(["sales_per_category", "sales_facts"])).filters).toEqual([]);
  });

  it("is each filter without which it would be held", () => {
    const off = new Set(["sales_facts"]);
    expect(obstacles(by({ category: "Books" }), "payment_method", off)).toEqual({ filters: ["category"], enough: "one" });
    expect(obstacles(by({ category: "Books", payment_method: "CASH" }), null, off)).toEqual({
      filters: ["category", "payment_method"],
      enough: "one",
    });
  });

  it("is never the dimension that the panel itself tells apart", () => {
    expect(obstacles(by({ product: "7", category: "Books" }), "category", new Set())).toEqual({
      filters: ["product"],
      enough: "one",
    });
  });

  it("is all of them where one is not enough", () => {
    expect(obstacles(by({ category: "Books", payment_method: "CASH" }), "product", new Set())).toEqual({
      filters: ["category", "payment_method"],
      enough: "all",
    });
  });

  it("is none where the view itself is off", () => {
    expect(obstacles(by({ category: "Books" }), "product", new Set(["sales_per_product"])).filters).toEqual([]);
  });
});

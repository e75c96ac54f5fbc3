import { describe, expect, it } from "vitest";
import { holding, WIDE } from "../../src/live/holding";

const off = (...views: string[]) => new Set(views);
const books = { ...WIDE, category: "Books" };
const cash = { ...WIDE, payment_method: "CASH" };
const both = { ...books, ...{ payment_method: "CASH" } };
const one = { ...WIDE, product: "1001" };

describe("what holds a combination", () => {
  it("is the smallest view that tells all of it apart", () => {
    expect(holding(WIDE, null, off())).toEqual({ view: "sales_per_day" });
    expect(holding(WIDE, "category", off())).toEqual({ view: "sales_per_category" });
    expect(holding(books, null, off())).toEqual({ view: "sales_per_category" });
    expect(holding(books, "category", off())).toEqual({ view: "sales_per_category" });
    expect(holding(cash, null, off())).toEqual({ view: "sales_per_payment_method" });
    expect(holding(books, "payment_method", off())).toEqual({ view: "sales_facts" });
    expect(holding(both, null, off())).toEqual({ view: "sales_facts" });
    expect(holding(one, null, off())).toEqual({ view: "sales_per_product" });
  });

  it("is another one where that is switched off", () => {
    expect(holding(WIDE, null, off("sales_per_day"))).toEqual({ view: "sales_per_payment_method" });
    expect(holding(books, null, off("sales_per_category"))).toEqual({ view: "sales_facts" });
  });

  it("is none where no view tells it apart, and it is said which one would if it were on", () => {
    expect(holding(both, null, off("sales_facts"))).toEqual({ view: null, switchable: "sales_facts" });
    expect(holding({ ...one, category: "Books" }, null, off())).toEqual({ view: null, switchable: null });
    expect(holding(one, "payment_method", off())).toEqual({ view: null, switchable: null });
  });
});

/** What only a shop in memory can show. All else is run on the real binary (`tests/page`), and here by `npm run e2e`. */
import { describe, expect, it } from "vitest";
import { openGate } from "./gate.mjs";
import { isReal, order } from "./shop";
import { beyond, reached, visits } from "./visit";

const { shop, open } = visits();
const shows = "[data-testid=orders]";

describe.skipIf(isReal)("a made-up shop", () => {
  // A store forgets what left its views after a day.
  it("is loaded anew where the service can not resume, and the old numbers are shown until then", async () => {
    const here = await shop();
    const gate = await openGate(here.url);
    const page = await open({ url: gate.url, shows });
    const text = await page.textContent(shows);
    gate.shut();
    await page.waitForSelector("[data-trust=lost]");
    const last = await here.sell([order()]);
    here.mock?.shop.forget();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    expect(await page.textContent(shows)).toBe(text);
    gate.reopen();
    await reached(page, last);
    expect(asked).toContain("/api/v1/summary");
    await gate.close();
  });

  // In a real shop all later tests would have these currencies as well.
  it("has room on the wall for as many currencies as it shows, in one row or in two", async () => {
    const here = await shop({ perDay: 1 });
    for (const currency of ["CHF", "GBP", "SEK"]) {
      await here.sell([order({ currency })]);
      const page = await open({ url: here.url, query: "?wall", shows, viewport: { width: 1920, height: 1080 } });
      await page.waitForSelector(`[data-testid=currency-${currency}]`);
      const beside = await page.locator("[data-testid^=currency-]").evaluateAll((cards) =>
        cards.filter((card) => {
          const [all, own] = [card.closest("section")?.getBoundingClientRect(), card.getBoundingClientRect()];
          return !all || own.top < all.top - 1 || own.bottom > all.bottom + 1;
        }).length);
      expect(beside, currency).toBe(0);
      expect(await beyond(page)).toEqual([]);
      await page.close();
    }
  });

  // In a real shop all later tests would have these amounts as well.
  it("fits on the wall with long amounts, and in French", async () => {
    const here = await shop({ perDay: 1 });
    await here.sell(["EUR", "FCFA", "USD"].map((currency) => ({
      id: `long ${currency}`,
      day: new Date().toISOString().slice(0, 10),
      category: "A category with a rather long name that no wall is wide enough for",
      payment_method: "CASH",
      currency,
      micros: 123_456_789_012_345_678_901n,
      units: 1_234_567,
    })));
    for (const query of ["?wall", "?wall&currency=FCFA&period=today"]) {
      const page = await open({ url: here.url, query, shows, locale: "fr-FR", viewport: { width: 1920, height: 1080 } });
      await page.waitForSelector("canvas");
      expect(await beyond(page), query).toEqual([]);
      expect(await page.textContent("main")).toContain("Ventes par catégorie");
    }
  });
});

/** The page on a wall. */
import type { Page as Tab } from "playwright-core";
import { describe, expect, it } from "vitest";
import { amountText, parseAmount } from "../src/live/amount";
import { isReal, rowsOf } from "./shop";
import { flaws, visits } from "./visit";

const { shop, open } = visits();
const SCREENS = [
  { locale: "en-GB", viewport: { width: 1920, height: 1080 } },
  { locale: "fr-FR", viewport: { width: 3840, height: 2160 } },
  { locale: "en-GB", viewport: { width: 1280, height: 800 } },
];
const shows = "[data-testid=orders]";

/** What does not fit on the screen, or is cut where it stands. */
const beyond = (page: Tab) =>
  page.evaluate(() => {
    const { innerWidth: width, innerHeight: height } = window;
    const { scrollHeight, scrollWidth } = document.documentElement;
    const cut = [...document.querySelectorAll("main .number")].filter((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const card = element.closest("section, dl > div, header")?.getBoundingClientRect();
      return left < 0 || top < 0 || right > width || bottom > height || (card !== undefined && right > card.right + 1);
    });
    return [...(scrollHeight > height || scrollWidth > width ? ["it scrolls"] : []), ...cut.map((element) => element.textContent)];
  });

describe("the wall", () => {
  it("fits its screen, whatever its size, without chrome, and dark", async () => {
    const here = await shop();
    for (const screen of SCREENS) {
      const page = await open({ url: here.url, query: "?wall", shows, ...screen });
      await page.waitForSelector("canvas");
      expect(await beyond(page), JSON.stringify(screen)).toEqual([]);
      expect(await page.locator("a, nav, input, select").count()).toBe(0);
      expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
      expect(await flaws(page)).toEqual([]);
    }
  });

  // In a real shop all later tests would have these amounts as well.
  it.skipIf(isReal)("fits with long amounts, and in French", async () => {
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

  it("obeys the period, the currency and the filters of the address", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?wall&period=7&currency=FCFA&category=Books", shows });
    expect(await page.textContent("h1")).toBe("7 days · Books");
    expect(await page.locator("[data-testid^=currency-]").evaluateAll((cards) => cards.map((card) => card.getAttribute("data-testid")))).toEqual(["currency-FCFA"]);
    const mark = (await page.getAttribute("[data-testid=currency-FCFA] [data-number]", "data-number")) ?? "";
    const { searchParams: rows, pathname } = new URL(mark, "http://page/");
    expect(pathname).toBe("/sales_per_category.total_sales");
    const sum = (await rowsOf(here, "sales_per_category", { category: "Books" }))
      .filter(({ currency }) => currency === "FCFA")
      .filter(({ order_date }) => order_date >= (rows.get("from") ?? "") && order_date <= (rows.get("to") ?? ""))
      .reduce((total, { total_sales }) => total + parseAmount(total_sales), 0n);
    expect(await page.getAttribute("[data-testid=currency-FCFA] [data-number]", "data-exact")).toBe(amountText(sum));
  });

  it("keeps the screen awake, and again after it was hidden", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "", shows });
    await page.evaluate(() => {
      const told = window as unknown as { asked: string[] };
      told.asked = [];
      const release = () => {
        told.asked.push("released");
        return Promise.resolve();
      };
      Object.defineProperty(navigator, "wakeLock", {
        value: {
          request: (kind: string) => {
            told.asked.push(kind);
            return Promise.resolve({ release });
          },
        },
      });
    });
    const asked = () => page.evaluate(() => (window as unknown as { asked: string[] }).asked);
    await page.getByRole("button", { name: "Wall screen" }).click();
    await page.waitForSelector("h1:has-text('30 days')");
    expect(await asked()).toContain("screen");
    const before = (await asked()).length;
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    expect((await asked()).length).toBe(before + 1);
  });

  it("is entered by a button and left by Escape, and everything else stays as it was", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?period=7", shows });
    await page.getByRole("button", { name: "Wall screen" }).click();
    await page.waitForSelector("h1:has-text('7 days')");
    expect(await page.locator("input").count()).toBe(0);
    await page.keyboard.press("Escape");
    await page.waitForSelector("input[name=language]");
    const { search } = new URL(page.url());
    expect(search).toBe("?period=7");
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe(undefined);
  });
});

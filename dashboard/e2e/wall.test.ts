/** The page on a wall. */
import { describe, expect, it } from "vitest";
import { amountText, parseAmount } from "../src/live/amount";
import { has, rowsOf } from "./shop";
import { beyond, flaws, visits } from "./visit";

const { shop, open } = visits();
const SCREENS = [
  { locale: "en-GB", viewport: { width: 1920, height: 1080 } },
  { locale: "fr-FR", viewport: { width: 3840, height: 2160 } },
  { locale: "en-GB", viewport: { width: 1280, height: 800 } },
];
const shows = "[data-testid=orders]";

describe("the wall", () => {
  it("fits its screen, whatever its size, without chrome, and dark", async () => {
    const here = await shop();
    for (const screen of SCREENS) {
      const page = await open({ url: here.url, query: "?wall", shows, ...screen });
      await page.waitForSelector("canvas");
      expect(await beyond(page), JSON.stringify(screen)).toEqual([]);
      expect(await page.locator("a, nav, input, select").count()).toBe(0);
      // Whether it went up or down is told by a shape as well, as far away as the number can be read.
      const arrows = await page.locator("[data-testid^=currency-] [title] > svg").evaluateAll((icons) =>
        icons.map((icon) => icon.getBoundingClientRect().height / (icon.nextElementSibling?.getBoundingClientRect().height ?? 0)));
      expect(arrows.filter((size) => size < 0.5), JSON.stringify(screen)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
      expect(await flaws(page)).toEqual([]);
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

  it.runIf(has("sales_facts"))("tells categories apart under a payment method, which the same view has as well", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?wall&currency=EUR&payment_method=PAYPAL", shows });
    const names = page.locator("section", { hasText: "Sales per category" }).locator("li > span:first-child");
    await names.first().waitFor();
    const categories = new Set((await rowsOf(here, "sales_per_category")).map(({ category }) => category));
    expect((await names.allTextContents()).filter((name) => !categories.has(name))).toEqual([]);
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

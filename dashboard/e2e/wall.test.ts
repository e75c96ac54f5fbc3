/** The page on a wall. */
import type { Page as Tab } from "playwright-core";
import { describe, expect, it } from "vitest";
import { flaws, visits } from "./visit";

const { shop, open } = visits();
const SCREENS = [
  { width: 1920, height: 1080 },
  { width: 3840, height: 2160 },
  { width: 1280, height: 800 },
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
    const mock = await shop();
    for (const viewport of SCREENS) {
      const page = await open({ url: mock.url, query: "?wall", shows, viewport });
      await page.waitForSelector("canvas");
      expect(await beyond(page), JSON.stringify(viewport)).toEqual([]);
      expect(await page.locator("a, nav, input, select").count()).toBe(0);
      expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
      expect(await flaws(page)).toEqual([]);
    }
  });

  it("fits with long amounts, and in French", async () => {
    const mock = await shop({ perDay: 1 });
    mock.shop.commit(["EUR", "FCFA", "USD"].map((currency) => ({
      id: `long ${currency}`,
      day: new Date().toISOString().slice(0, 10),
      category: "A category with a rather long name that no wall is wide enough for",
      payment_method: "CASH",
      currency,
      micros: 123_456_789_012_345_678_901n,
      units: 1_234_567,
    })));
    for (const query of ["?wall", "?wall&currency=FCFA&period=today"]) {
      const page = await open({ url: mock.url, query, shows, locale: "fr-FR", viewport: { width: 1920, height: 1080 } });
      await page.waitForSelector("canvas");
      expect(await beyond(page), query).toEqual([]);
      expect(await page.textContent("main")).toContain("Ventes par catégorie");
    }
  });

  it("obeys the period, the currency and the filters of the address", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?wall&period=7&currency=FCFA&category=Books", shows });
    expect(await page.textContent("h1")).toBe("7 days · Books");
    expect(await page.locator("[data-testid^=currency-]").evaluateAll((cards) => cards.map((card) => card.getAttribute("data-testid")))).toEqual(["currency-FCFA"]);
    const mark = (await page.getAttribute("[data-testid=currency-FCFA] [data-number]", "data-number")) ?? "";
    const { searchParams: rows, pathname } = new URL(mark, "http://page/");
    expect(pathname).toBe("/sales_per_category.total_sales");
    const sum = [...(mock.shop.views.get("sales_per_category")?.values() ?? [])]
      .filter(({ key }) => key.category === "Books" && key.currency === "FCFA")
      .filter(({ key }) => String(key.order_date) >= (rows.get("from") ?? "") && String(key.order_date) <= (rows.get("to") ?? ""))
      .reduce((total, { micros }) => total + micros, 0n);
    expect(await page.getAttribute("[data-testid=currency-FCFA] [data-number]", "data-exact")).toBe(`${String(sum / 1_000_000n)}.${String(sum % 1_000_000n).padStart(6, "0")}`);
  });

  it("keeps the screen awake, and again after it was hidden", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "", shows });
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
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?period=7", shows });
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

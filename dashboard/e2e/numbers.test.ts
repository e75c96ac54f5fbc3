/**
 * Every number of the page, in all its views: each says what it is (`src/live/mark.ts`), and is computed once more. Against
 * the shop in memory that is done here; against a service, what the page shows is written to NUMBERS_TO, and
 * `tests/page` compares it with plain SQL. Nothing may be committed meanwhile.
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createFormat } from "../src/i18n/format";
import { formatMoney, minorUnitsOf } from "../src/i18n/money";
import { averageOf, parseAmount } from "../src/live/amount";
import { CALM_MS } from "../src/live/calm";
import { exactAverage, exactText } from "../src/live/mark";
import type { Shop } from "../tests/mock/shop.mjs";
import { launch } from "./browser.mjs";
import { startTarget, summaryOf, type Target } from "./target";

const LOCALE = "en-GB";
const format = createFormat("en", [LOCALE]);

interface Number {
  readonly of: string;
  readonly exact: string;
  readonly text: string;
}

let target: Target;
let browser: Browser;
beforeAll(async () => {
  [target, browser] = await Promise.all([startTarget(), launch()]);
});
afterAll(async () => {
  await browser.close();
  await target.stop();
});

/** The newest row of a view, for something that there is. */
async function sample(view: string): Promise<Record<string, string>> {
  const answer = await fetch(`${target.url}/api/v1/${view}?limit=1`);
  if (!answer.ok) return {};
  return ((await answer.json()) as { rows: Record<string, string>[] }).rows[0] ?? {};
}

async function addresses(currencies: readonly string[]): Promise<string[]> {
  const [{ category }, { payment_method }, { product }] = await Promise.all([
    sample("sales_per_category"),
    sample("sales_per_payment_method"),
    sample("sales_per_product"),
  ]);
  const periods = ["all", "30", "today", "yesterday", "month", "year"].map((period) => ({ period }));
  const narrowed = [{ category }, { payment_method }, { product }, { category, payment_method }].filter((by) =>
    Object.values(by).every((value) => value !== undefined),
  ) as Record<string, string>[];
  return [
    ...periods,
    ...currencies.map((currency) => ({ period: "90", currency })),
    ...narrowed.map((by) => ({ ...by, period: "all" })),
    ...["category", "day", "month", "product"].map((table) => ({ view: "tables", table, period: "all" })),
    { view: "explain", period: "30" },
    ...["corrections", "rejected"].map((table) => ({ view: "tables", table, period: "all" })),
    { wall: "1", period: "30" },
    { wall: "1", period: "all", currency: currencies[0] ?? "EUR" },
  ].map((query) => `?${new URLSearchParams(query as unknown as Record<string, string>).toString()}`);
}

/** The marked numbers, once the page stands at this epoch and nothing on it changes any more. */
async function numbersOn(page: Tab, epoch: number): Promise<Number[]> {
  const state = () =>
    page.evaluate(() => ({
      epoch: Number(document.querySelector("[data-epoch]")?.getAttribute("data-epoch")),
      busy: [...document.querySelectorAll("[aria-busy=true]")].map(({ textContent }) => textContent.slice(0, 60)),
    }));
  await expect.poll(state, { timeout: 60_000, message: page.url() }).toEqual({ epoch, busy: [] });
  const read = () =>
    page.$$eval("[data-number]", (elements) =>
      elements.map((element) => ({
        of: element.getAttribute("data-number") ?? "",
        exact: element.getAttribute("data-exact") ?? "",
        text: element.textContent,
      })),
    );
  // What is drawn more calmly than every frame comes later: two looks apart must see the same.
  for (let before = ""; ; ) {
    const now = await read();
    if (now.length > 0 && JSON.stringify(now) === before) return now;
    before = JSON.stringify(now);
    await page.waitForTimeout(CALM_MS + 300);
  }
}

/** How the page writes what a mark is of. */
function written(of: string, exact: string, minorUnits: ReadonlyMap<string, number>): string {
  const [what = "", query] = of.split("?");
  const [view, column] = what.split(".");
  const code = new URLSearchParams(query).get("currency") ?? "";
  const money = (text: string) => formatMoney(parseAmount(text), code, minorUnits.get(code) ?? 2, LOCALE);
  if (column === "average") return view === "ratings_per_product" ? format.decimal(exact) : money(exact.split(" = ")[1] ?? "");
  return column === "total_sales" || column === "amount" ? money(exact) : format.count(Number(exact));
}

/** The number from the shop in memory. */
function truth(shop: Shop, of: string, minorUnits: ReadonlyMap<string, number>): string {
  const [what = "", query = ""] = of.split("?");
  const [view = "", column = ""] = what.split(".");
  const by = [...new URLSearchParams(query)];
  if (view === "sources") return exactText(shop.counts[column as "read"]);
  if (view === "ratings_per_product") {
    const rating = shop.ratings.get(new URLSearchParams(query).get("product") ?? "");
    return exactText(rating?.[column as "ratings"] ?? "");
  }
  if (view === "orders") {
    const order = shop.orders.get(new URLSearchParams(query).get("order_id") ?? "");
    return exactText(column === "amount" ? (order?.micros ?? "") : (order?.units ?? ""));
  }
  const rows = [...(shop.views.get(view === "product_totals" ? "sales_per_product" : (view as "sales_per_day"))?.values() ?? [])];
  const held = rows.filter(({ key }) =>
    by.every(([name, value]) => {
      const day = String(key.order_date);
      if (name === "from") return day >= value;
      if (name === "to") return day <= value;
      if (name === "month") return `${String(key.year)}-${String(key.month).padStart(2, "0")}`.startsWith(value);
      return String(key[name]) === value;
    }),
  );
  const total = held.reduce((sum, { micros }) => sum + micros, 0n);
  if (column === "average") {
    const orders = held.reduce((sum, row) => sum + row.orders, 0);
    const code = new URLSearchParams(query).get("currency") ?? "";
    return exactAverage(total, orders, averageOf(total, orders, minorUnitsOf(code, minorUnits.get(code) ?? null)) ?? 0n);
  }
  if (column === "total_sales") return exactText(total);
  return exactText(held.reduce((sum, row) => sum + row[column as "orders"], 0));
}

it("is exact on every number, and written as it is", { timeout: 240_000 }, async () => {
  const { epoch, currencies } = await summaryOf(target.url);
  const context = await browser.newContext({ locale: LOCALE, viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  const minorUnits = new Map(currencies.map(({ currency, minor_units }) => [currency, minor_units]));
  const pages: { query: string; epoch: number; numbers: Number[] }[] = [];
  for (const query of await addresses(currencies.map(({ currency }) => currency))) {
    await page.goto(`${target.url}/${query}`);
    await page.waitForSelector("[data-number]");
    // Once with all that stands behind the charts.
    if (query.includes("period=90")) {
      const switches = page.getByRole("button", { name: /as a table/ });
      for (let at = (await switches.count()) - 1; at >= 0; at -= 1) await switches.nth(at).click();
    }
    const numbers = await numbersOn(page, epoch);
    pages.push({ query, epoch, numbers });
    for (const { of, exact, text } of numbers) {
      expect(text, `${query} ${of}`).toContain(written(of, exact, minorUnits));
      if (target.mock) expect(exact, `${query} ${of}`).toBe(truth(target.mock.shop, of, minorUnits));
    }
    // What is no number of a view says so, and why (`src/live/mark.ts`): nothing is left out unseen.
    const silent = await page.$$eval(".number", (all) =>
      all
        .filter((element) => /\d/.test(element.textContent) && !element.closest("[data-number], [data-unmarked]"))
        .filter((element) => !element.querySelector("[data-number], [data-unmarked]"))
        .map((element) => element.outerHTML),
    );
    expect(silent, query).toEqual([]);
  }
  await context.close();
  const marked = pages.reduce((sum, { numbers }) => sum + numbers.length, 0);
  console.log(`${String(marked)} marked numbers on ${String(pages.length)} pages`);
  if (process.env.NUMBERS_TO !== undefined) writeFileSync(process.env.NUMBERS_TO, JSON.stringify(pages));
});

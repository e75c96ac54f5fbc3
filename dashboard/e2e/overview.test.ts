/** What the overview says beside the totals: averages, changes against the period before, months, best sellers. */
import type { Page as Tab } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Page, ProductTotal } from "../src/api/types";
import { createFormat } from "../src/i18n/format";
import { averageOf, parseAmount } from "../src/live/amount";
import { changeOf } from "../src/live/comparison";
import { addDays, today } from "../src/live/period";
import { listOf, order, rowsOf, type Shop } from "./shop";
import { panel, settled, visits } from "./visit";

const { shop, open } = visits();
const SHOWS = "[data-testid=orders]";
const format = createFormat("en", ["en-GB"]);

type Days = Page<"sales_per_day">["rows"];

const daysOf = (here: Shop): Promise<Days> => rowsOf(here, "sales_per_day");

const card = (page: Tab, code: string) => page.getByTestId(`currency-${code}`);
/** The total of a currency over days, and its orders. */
function over(rows: Days, code: string, from: string, to: string): { micros: bigint; orders: number } {
  const kept = rows.filter(({ currency, order_date }) => currency === code && order_date >= from && order_date <= to);
  return {
    micros: kept.reduce((all, row) => all + parseAmount(row.total_sales), 0n),
    orders: kept.reduce((all, row) => all + row.orders, 0),
  };
}

describe("the headline", () => {
  it("has the average order of each currency, exact to its minor unit", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?period=all", shows: SHOWS });
    const rows = await daysOf(here);
    for (const [code, digits] of [["EUR", 2], ["FCFA", 0]] as const) {
      const { micros, orders } = over(rows, code, "", "9999");
      const average = averageOf(micros, orders, digits) ?? 0n;
      expect(await page.getByTestId(`average-${code}`).textContent()).toContain(format.money(average, code, digits));
    }
  });

  it("compares the days that are over with as many before, each with its counterpart", async () => {
    const here = await shop({ days: 40 });
    // A sale of today, or the numbers stand where the log ends, some days ago.
    await here.sell([order()]);
    const page = await open({ url: here.url, query: "?period=7", shows: SHOWS });
    const rows = await daysOf(here);
    const wall = today();
    const now = over(rows, "EUR", addDays(wall, -6), addDays(wall, -1));
    const before = over(rows, "EUR", addDays(wall, -13), addDays(wall, -8));
    const change = changeOf(now.micros, before.micros);
    expect(typeof change).toBe("number");
    const said = card(page, "EUR").locator("[title*=against]").first();
    expect(await said.getAttribute("title")).toContain("6 full days");
    expect(await said.textContent()).toContain(format.change(change as number));
  });

  it("compares today until this minute with yesterday until then", async () => {
    const here = await shop({ days: 40 });
    const yesterday = addDays(today(), -1);
    // So that some of yesterday lies before this time of day, and some after it.
    for (const hour of [1, 9, 17, 23]) {
      await here.sell([order({ day: yesterday, micros: BigInt(hour) * 1_000_000n })], new Date(`${yesterday}T${String(hour).padStart(2, "0")}:30:00Z`));
    }
    await here.sell([order()]);
    const page = await open({ url: here.url, query: "?period=today", shows: SHOWS });
    const said = card(page, "EUR").locator("[title*=until]").first();
    await said.waitFor();
    const title = (await said.getAttribute("title")) ?? "";
    expect(title).toContain(`${format.day(today())} until`);
    expect(title).toContain(`against ${format.day(yesterday)} until`);
    const clock = /until (\d\d:\d\d)/.exec(title)?.[1] ?? "";
    const rows = await daysOf(here);
    const later = (await rowsOf(here, "orders_per_minute"))
      .filter(({ currency, minute }) => currency === "EUR" && minute >= `${yesterday}T${clock}` && minute < today())
      .reduce((all, { total_sales }) => all + parseAmount(total_sales), 0n);
    const change = changeOf(over(rows, "EUR", today(), today()).micros, over(rows, "EUR", yesterday, yesterday).micros - later);
    expect(await said.textContent()).toContain(typeof change === "number" ? format.change(change) : "new");
  });

  it("shows no change where nothing was before", async () => {
    const here = await shop();
    const first = (await daysOf(here)).filter(({ currency }) => currency === "EUR").map(({ order_date }) => order_date).sort()[0] ?? "";
    const page = await open({ url: here.url, query: `?period=${first}..${addDays(first, 6)}`, shows: SHOWS });
    expect(await card(page, "EUR").textContent()).toContain("new");
    await page.getByText("All time", { exact: true }).first().click();
    await settled(page);
    expect(await card(page, "EUR").textContent()).not.toContain("new");
  });

  it("keeps its old numbers while a longer period is loaded", async () => {
    const here = await shop({ days: 120 });
    const page = await open({ url: here.url, query: "?period=7", shows: SHOWS });
    const before = await card(page, "EUR").locator(".number").first().textContent();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => { release = resolve; });
    await page.route("**/api/v1/sales_per_category*", async (route) => {
      await held;
      await route.continue();
    });
    const heights = () => page.evaluate(() => [...document.querySelectorAll("main section")].map((section) => section.getBoundingClientRect().height));
    // What is asked for beside the numbers has come, so that nothing but the period moves what is there.
    await panel(page, "Best sellers").locator("tbody td").first().waitFor();
    await panel(page, "Latest corrections").locator("li").first().waitFor();
    const sizes = await heights();
    await page.getByText("All time", { exact: true }).first().click();
    await page.waitForSelector("fieldset[aria-busy=true]");
    expect(await card(page, "EUR").locator(".number").first().textContent()).toBe(before);
    expect(await heights()).toEqual(sizes);
    release();
    await settled(page);
    expect(await card(page, "EUR").locator(".number").first().textContent()).not.toBe(before);
  });
});

describe("the panels", () => {
  it("ask for corrections again after a failure, though no other correction comes", { timeout: 120_000 }, async () => {
    const here = await shop();
    const page = await open({ url: here.url, shows: SHOWS, expected: /status of 503/ });
    const corrections = panel(page, "Latest corrections");
    await corrections.locator("li").first().waitFor();
    await page.route(/api\/v1\/corrections/, (route) => route.fulfill({ status: 503, body: "{}" }));
    await page.clock.install();
    const sold = order();
    await here.sell([sold]);
    await here.sell([{ ...sold, units: 2 }]);
    /** Until the panel says it, on a clock of the page that runs fast. */
    const says = (text: string) =>
      expect
        .poll(async () => {
          await page.clock.fastForward(2_000);
          return corrections.textContent();
        }, { timeout: 30_000 })
        .toContain(text);
    await says("The corrections could not be loaded.");
    await page.unroute(/api\/v1\/corrections/);
    await says(sold.id);
  });

  it("tell how orders, not money, are shared among currencies", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?period=all", shows: SHOWS });
    const rows = await daysOf(here);
    const orders = rows.reduce((all, row) => all + row.orders, 0);
    const mine = over(rows, "FCFA", "", "9999").orders;
    const line = panel(page, "Orders by currency").locator("tr", { hasText: "FCFA" });
    expect(await line.textContent()).toContain(format.count(mine));
    expect(await line.textContent()).toContain(format.share(Math.floor((mine * 10_000) / orders) / 10_000));
    expect(await line.textContent()).not.toContain("F CFA");
  });

  it("tell what of each year lies in the period, and all of it", async () => {
    const here = await shop({ days: 400, perDay: 6 });
    const page = await open({ url: here.url, query: "?period=30&currency=EUR", shows: SHOWS });
    const rows = await daysOf(here);
    const year = today().slice(0, 4);
    const whole = over(rows, "EUR", `${year}-01-01`, `${year}-12-31`);
    const from = addDays(today(), -29);
    const inside = over(rows, "EUR", from < `${year}-01-01` ? `${year}-01-01` : from, today());
    const line = panel(page, "Sales per year").locator("tr", { hasText: year });
    expect(await line.textContent()).toContain(format.money(whole.micros, "EUR", 2));
    expect(await line.textContent()).toContain(format.money(inside.micros, "EUR", 2));
  });

  it("ask for the best sellers of any days, anew when something changed, and seldom", { timeout: 90_000 }, async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?period=7&currency=EUR", shows: SHOWS });
    const shown = panel(page, "Best sellers").locator("tbody td:last-child");
    await shown.first().waitFor();
    const begun = Date.now();
    const asked: string[] = [];
    page.on("request", (request) => { if (request.url().includes("product_totals")) asked.push(request.url()); });
    const closing = new AbortController();
    const traffic = (async () => {
      while (!closing.signal.aborted) {
        await here.sell([order()]);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })();
    try {
      await expect.poll(() => asked.length, { timeout: 40_000 }).toBeGreaterThanOrEqual(3);
    } finally {
      closing.abort();
      await traffic;
    }
    // A slow machine asks less often, never more.
    expect(asked.length).toBeLessThanOrEqual((Date.now() - begun) / 5_000 + 2);
    const best = { currency: "EUR", from: addDays(today(), -6), to: today(), limit: "10" };
    const { rows } = await listOf<{ rows: ProductTotal[] }>(here.url, "product_totals", best);
    await expect.poll(() => shown.allTextContents(), { timeout: 20_000 }).toEqual(
      rows.map(({ total_sales }) => format.money(parseAmount(total_sales), "EUR", 2)),
    );
  });
});

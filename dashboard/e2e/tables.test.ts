/** The tables in a browser: sorted, searched, turned, and taken along as files. */
import { describe, expect, it } from "vitest";
import type { Rejected } from "../src/api/types";
import { parseAmount } from "../src/live/amount";
import { addDays, today } from "../src/live/period";
import { lacks, listOf, order, rowsOf } from "./shop";
import { summaryOf } from "./target";
import { column, digits, fileOf, flaws, reached, visits } from "./visit";

const { shop, open } = visits();

const rowsText = (page: Awaited<ReturnType<typeof open>>) => page.getByTestId("rows").textContent();
/** What the first page of so many rows says. */
const firstOf = (rows: number) => (rows <= 50 ? `1–${rows} of ${rows}` : "1–50");
/** Until the table's line of rows says something else than before. */
const turned = (page: Awaited<ReturnType<typeof open>>, before: string | null) =>
  page.waitForFunction((text) => document.querySelector("[data-testid=rows]")?.textContent !== text, before);

describe("a table of what the page holds", () => {
  it("is the service's rows, all pages of it in the file, to the cent", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?view=tables&period=all&currency=EUR" });
    const mine = (await rowsOf(here, "sales_per_category")).filter(({ currency }) => currency === "EUR");
    expect(await rowsText(page)).toBe(`1–50 of ${mine.length.toLocaleString("en-GB")}`);
    const { name, lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(name).toBe("takings_sales-per-category_all_EUR.csv");
    expect(lines[0]).toBe("order_date,category,currency,total_sales,orders,units");
    const expected = mine.map((row) => `${row.order_date},${row.category},EUR,${row.total_sales},${row.orders},${row.units}`);
    expect(lines.slice(1).sort()).toEqual(expected.sort());
    expect(await page.getByTestId("csv").textContent()).toContain(`of epoch ${(await summaryOf(here.url)).epoch}`);
  });

  it("names the epoch of the rows that are in the file, though the page is further on than its table", async () => {
    const here = await shop();
    const query = "?view=tables&table=day&period=all&currency=EUR";
    const page = await open({ url: here.url, query });
    const button = page.getByRole("button", { name: "Download CSV" });
    const count = async () => (await rowsOf(here, "sales_per_day")).reduce((all, { orders, currency }) => all + (currency === "EUR" ? orders : 0), 0);
    const counted = new Map<number, number>();
    // The first is shown at once, the others within the second: the table goes on once in that time.
    for (let n = 0; n < 3; n += 1) {
      const epoch = await here.sell([order()]);
      counted.set(epoch, await count());
      await reached(page, epoch);
    }
    const { lines } = await fileOf(page, () => button.click());
    const inFile = lines.slice(1).reduce((all, line) => all + Number(line.split(",")[3]), 0);
    const named = Number(/of epoch (\d+)/.exec((await page.getByTestId("csv").textContent()) ?? "")?.[1]);
    expect(inFile).toBe(counted.get(named));
  });

  it("sorts, searches and turns pages, in the address, and back again", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?view=tables&period=all&currency=EUR" });
    const heading = page.getByRole("columnheader", { name: "Orders" });
    expect(await heading.getAttribute("aria-sort")).toBe("none");
    await heading.getByRole("button").press("Enter");
    expect(await heading.getAttribute("aria-sort")).toBe("descending");
    expect(page.url()).toContain("sort=orders");
    const orders = (await column(page, 4)).map(digits);
    expect(orders).toEqual(orders.toSorted((a, b) => b - a));
    await heading.getByRole("button").press("Enter");
    expect(await heading.getAttribute("aria-sort")).toBe("ascending");

    await page.getByRole("button", { name: "Next" }).click();
    expect(await rowsText(page)).toMatch(/^51–100 of/);
    expect(page.url()).toContain("page=2");
    await page.reload();
    await page.waitForSelector("table tbody tr");
    expect(await rowsText(page)).toMatch(/^51–100 of/);
    await page.goBack();
    await page.waitForFunction(() => document.querySelector("[data-testid=rows]")?.textContent.startsWith("1–"));

    const unsearched = await rowsText(page);
    await page.getByRole("searchbox").fill("groceries");
    await turned(page, unsearched);
    expect(new Set(await column(page, 2))).toEqual(new Set(["Groceries"]));
    const { lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(new Set(lines.slice(1).map((line) => line.split(",")[1]))).toEqual(new Set(["Groceries"]));
    await page.getByRole("searchbox").fill("nothing of the kind");
    await page.getByText("Nothing matches").waitFor();
  });

  it("is patched in place when an order arrives: the row stays the same element", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?view=tables&table=day&currency=EUR" });
    const [newest] = (await rowsOf(here, "sales_per_day")).filter(({ currency }) => currency === "EUR").map(({ order_date }) => order_date).sort().reverse();
    const cell = page.locator("tbody tr:first-child td").nth(1);
    const before = digits((await cell.textContent()) ?? "");
    await cell.evaluate((element) => { element.setAttribute("data-mark", "same"); });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await here.sell([order({ day: newest ?? "" })]);
    await page.waitForFunction(
      (old) => Number(document.querySelector("[data-mark=same]")?.textContent.replace(/\D/g, "")) === old + 1,
      before,
    );
    expect(asked).toEqual([]);
  });

  it("obeys the period, and cuts a month at its edge", async () => {
    const here = await shop();
    const edge = `${addDays(today(), -3).slice(0, 7)}-01`;
    const [from, to] = [addDays(edge, -2), addDays(edge, 1)];
    const page = await open({ url: here.url, query: `?view=tables&table=month&period=${from}..${to}&currency=EUR` });
    const sums = new Map<string, bigint>();
    for (const { order_date, currency, total_sales } of await rowsOf(here, "sales_per_day")) {
      if (currency !== "EUR" || order_date < from || order_date > to) continue;
      const month = order_date.slice(0, 7);
      sums.set(month, (sums.get(month) ?? 0n) + parseAmount(total_sales));
    }
    expect(sums.size).toBe(2);
    const { lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    const read = lines.slice(1).map((line) => line.split(","));
    expect(new Map(read.map(([month = "", , total = ""]) => [month, parseAmount(total)]))).toEqual(sums);
    expect(await page.textContent("main")).toContain("counts only its days within the period");
    expect(await page.getByRole("link", { name: "Tables" }).getAttribute("aria-current")).toBe("page");
  });

  it.runIf(lacks("sales_facts"))("says so where no view holds the filters, and that one could be switched on", async () => {
    const here = await shop();
    here.mock?.shop.off.add("sales_facts");
    const page = await open({ url: here.url, query: "?view=tables&category=Books&payment_method=PAYPAL", shows: "main section h3" });
    await page.getByText("The view “sales_facts” would").waitFor();
    await page.getByRole("button", { name: "PayPal" }).click();
    await page.waitForSelector("table tbody tr");
    expect(new Set(await column(page, 2))).toEqual(new Set(["Books"]));
  });
});

describe("a table of what the service holds", () => {
  it("asks for products sorted and searched, and turns their pages by cursors", async () => {
    const here = await shop();
    const mark = `zz-${order().id}`;
    const orders = Array.from({ length: 120 }, (_, at) => order({ product: `${mark}-${String(at).padStart(3, "0")}`, units: 1 + (at % 3), micros: BigInt(1 + at) }));
    await here.sell(orders);
    const page = await open({ url: here.url, query: `?view=tables&table=product&currency=EUR&sort=product&order=asc&search=${mark.toUpperCase()}`, shows: `text=${mark}-000` });
    expect(await rowsText(page)).toMatch(/^1–50$/);
    const seen = await column(page, 2);
    for (const first of ["51", "101"]) {
      await page.getByRole("button", { name: "Next" }).click();
      await page.waitForFunction((row) => document.querySelector("[data-testid=rows]")?.textContent.startsWith(`${row}–`), first);
      seen.push(...(await column(page, 2)));
    }
    expect(seen).toEqual(orders.map(({ product }) => product));
    expect(await page.getByRole("button", { name: "Next" }).getAttribute("aria-disabled")).toBe("true");
    const { name, lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(name).toMatch(/^takings_product-totals_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d_EUR\.csv$/);
    expect(lines).toHaveLength(1 + seen.length);
    expect(lines).toContain(`${mark}-007,,,EUR,0.000008,1,2`);
  });

  it("is asked for again when the stream tells of a correction, and not by time alone", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?view=tables&table=corrections&currency=EUR" });
    const sold = order();
    const id = `A-corrected-${sold.id}`;
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await reached(page, await here.sell([{ ...sold, id }]));
    expect(asked).not.toContain("/api/v1/corrections");
    await here.sell([{ ...sold, id, micros: 1_000_000n, units: 2 }]);
    const row = page.getByRole("row", { name: new RegExp(id) });
    await row.waitFor();
    expect(await row.textContent()).toContain("€12.34");
    expect(await row.textContent()).toContain("€1.00");
    await page.getByRole("searchbox").fill(id.toLowerCase().replace("corr", "CORR"));
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
  });

  it("shows what could not be read, with the reason, and searches it", async () => {
    const here = await shop();
    const all = async (by: Record<string, string>) => (await listOf<{ rows: Rejected[] }>(here.url, "rejected", { limit: "10000", ...by })).rows;
    const page = await open({ url: here.url, query: "?view=tables&table=rejected" });
    const { rejected } = await summaryOf(here.url);
    expect(await rowsText(page)).toBe(firstOf(rejected));
    const sought = (await all({})).at(-1)?.reason.slice(0, 12).toUpperCase() ?? "";
    const found = await all({ reason: sought });
    expect(found.length).toBeLessThan(rejected);
    const before = await rowsText(page);
    await page.getByRole("searchbox").fill(sought);
    await turned(page, before);
    expect(await rowsText(page)).toBe(firstOf(found.length));
    expect(await column(page, 2)).toEqual(found.slice(0, 50).map(({ reason }) => reason));
  });

  it("keeps its rows and says what is wrong when the service fails", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?view=tables&table=rejected", expected: /status of 503/ });
    const places = () => page.locator("tbody tr td:last-child").allTextContents();
    const before = await places();
    const answer = JSON.stringify({ error: { code: "store_away", message: "the store does not answer", hint: "wait" } });
    await page.route(/api\/v1\/rejected/, (route) => route.fulfill({ status: 503, contentType: "application/json", body: answer }));
    await here.spoil(1);
    await page.getByText("The rows could not be loaded: the store does not answer").waitFor();
    expect(await places()).toEqual(before);
    expect(await page.textContent("[role=alert]")).toContain("(wait)");
    await page.unroute(/api\/v1\/rejected/);
    await page.getByRole("button", { name: "Try again" }).click();
    const { rejected } = await summaryOf(here.url);
    await page.waitForFunction((text) => document.querySelector("[data-testid=rows]")?.textContent === text, firstOf(rejected));
    await page.waitForFunction((place) => document.querySelector("tbody tr td:last-child")?.textContent !== place, before[0]);
    expect(await page.locator("[role=alert]").count()).toBe(0);
  });

  it("is asked for where the browser says that it is offline: the service may be on this machine", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?view=tables&table=day" });
    await page.evaluate(() => {
      Object.defineProperty(navigator, "onLine", { configurable: true, get: () => false });
      window.dispatchEvent(new Event("offline"));
    });
    await page.getByRole("link", { name: "Rejected" }).first().click();
    const { rejected } = await summaryOf(here.url);
    await expect.poll(() => rowsText(page), { timeout: 10_000 }).toBe(firstOf(rejected));
  });

  it("says of which epochs a file is, and lets it be cancelled", async () => {
    const here = await shop();
    // Two pages of the file, and so one that is asked for by a cursor.
    await here.spoil(2_100);
    const page = await open({ url: here.url, query: "?view=tables&table=rejected" });
    let hold = true;
    const held: (() => void)[] = [];
    await page.route(/rejected\?.*cursor=/, async (route) => {
      if (hold) await new Promise<void>((resolve) => held.push(resolve));
      else await here.sell([order()]);
      await route.continue().catch(() => undefined);
    });
    await page.getByRole("button", { name: "Download CSV" }).click();
    await page.getByText("2,000 rows so far").waitFor();
    await page.getByRole("button", { name: "Cancel the file" }).click();
    await page.getByText("The file was cancelled.").waitFor();
    hold = false;
    for (const resume of held) resume();
    const first = await summaryOf(here.url);
    const { lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(lines).toHaveLength(1 + first.rejected);
    await page.getByText(`made of epochs ${first.epoch} to ${(await summaryOf(here.url)).epoch}`).waitFor();
  });
});

describe("for everyone", () => {
  it.each([
    { table: "category", colorScheme: "light", locale: "en-GB", width: 1280 },
    { table: "month", colorScheme: "dark", locale: "fr-FR", width: 1280 },
    { table: "product", colorScheme: "dark", locale: "en-GB", width: 390 },
    { table: "corrections", colorScheme: "light", locale: "fr-FR", width: 320 },
    { table: "rejected", colorScheme: "dark", locale: "fr-FR", width: 390 },
  ] as const)("has nothing that axe finds: $table, $colorScheme, $locale, $width", async ({ table, width, ...rest }) => {
    const here = await shop();
    const page = await open({ url: here.url, query: `?view=tables&table=${table}`, viewport: { width, height: 900 }, ...rest });
    expect(await flaws(page)).toEqual([]);
  });

  it("is reached by links that keep the filters, and by keyboard", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?period=90&currency=USD", shows: "[data-testid=orders]" });
    await page.getByRole("link", { name: "Tables", exact: true }).press("Enter");
    await page.waitForSelector("main table tbody tr");
    await page.getByRole("link", { name: "By day" }).press("Enter");
    await page.getByRole("columnheader", { name: "Total" }).getByRole("button").press("Space");
    expect(page.url()).toMatch(/period=90&currency=USD&view=tables&table=day&sort=total/);
    expect(await page.title()).toBe("Tables · takings");
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await page.waitForSelector("[data-testid=orders]");
    expect(page.url()).toMatch(/\?period=90&currency=USD$/);
  });
});

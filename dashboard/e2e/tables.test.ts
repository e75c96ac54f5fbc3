/** The tables in a browser, against the contract over a shop in memory. */
import { describe, expect, it } from "vitest";
import type { Page } from "../src/api/types";
import { parseAmount } from "../src/live/amount";
import { column, fileOf, flaws, visits, type Mock } from "./visit";

const { shop, open } = visits();

/** The service's own rows of a view. */
async function rowsOf<V extends "sales_per_category" | "sales_per_day">({ url }: Mock, view: V): Promise<Page<V>["rows"]> {
  const answer = await fetch(`${url}/api/v1/${view}?limit=10000`);
  return ((await answer.json()) as Page<V>).rows;
}

const rowsText = (page: Awaited<ReturnType<typeof open>>) => page.getByTestId("rows").textContent();
const digits = (text: string | undefined) => Number((text ?? "").replace(/\D/g, ""));

describe("a table of what the page holds", () => {
  it("is the service's rows, all pages of it in the file, to the cent", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?view=tables&period=all" });
    const mine = (await rowsOf(mock, "sales_per_category")).filter(({ currency }) => currency === "EUR");
    expect(await rowsText(page)).toBe(`1–50 of ${mine.length.toLocaleString("en-GB")}`);
    const { name, lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(name).toBe("takings_sales-per-category_all_EUR.csv");
    expect(lines[0]).toBe("order_date,category,currency,total_sales,orders,units");
    const expected = mine.map((row) => `${row.order_date},${row.category},EUR,${row.total_sales},${row.orders},${row.units}`);
    expect(lines.slice(1).sort()).toEqual(expected.sort());
    expect(await page.getByTestId("csv").textContent()).toContain(`of epoch ${mock.shop.epoch}`);
  });

  it("sorts, searches and turns pages, in the address, and back again", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?view=tables&period=all" });
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

    await page.getByRole("searchbox").fill("groceries");
    await page.waitForFunction(() => /of \d\d$/.test(document.querySelector("[data-testid=rows]")?.textContent ?? ""));
    expect(new Set(await column(page, 2))).toEqual(new Set(["Groceries"]));
    const { lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(new Set(lines.slice(1).map((line) => line.split(",")[1]))).toEqual(new Set(["Groceries"]));
    await page.getByRole("searchbox").fill("nothing of the kind");
    await page.getByText("Nothing matches").waitFor();
  });

  it("is patched in place when an order arrives: the row stays the same element", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?view=tables&table=day&currency=EUR" });
    const cell = page.locator("tbody tr:first-child td").nth(1);
    const before = digits((await cell.textContent()) ?? "");
    await cell.evaluate((element) => { element.setAttribute("data-mark", "same"); });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    mock.shop.commit([{ ...mock.traffic.order(), currency: "EUR" }]);
    mock.publish();
    await page.waitForFunction(
      (old) => Number(document.querySelector("[data-mark=same]")?.textContent.replace(/\D/g, "")) === old + 1,
      before,
    );
    expect(asked).toEqual([]);
  });

  it("obeys the period, and cuts a month at its edge", async () => {
    const mock = await shop({ lastDay: "2026-11-22" });
    const query = "?view=tables&table=month&period=2026-10-30..2026-11-02&currency=EUR";
    const page = await open({ url: mock.url, query });
    const sums = new Map<string, bigint>();
    for (const { order_date, currency, total_sales } of await rowsOf(mock, "sales_per_day")) {
      if (currency !== "EUR" || order_date < "2026-10-30" || order_date > "2026-11-02") continue;
      const month = order_date.slice(0, 7);
      sums.set(month, (sums.get(month) ?? 0n) + parseAmount(total_sales));
    }
    const { lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    const read = lines.slice(1).map((line) => line.split(","));
    expect(new Map(read.map(([month = "", , total = ""]) => [month, parseAmount(total)]))).toEqual(sums);
    expect(await page.textContent("main")).toContain("counts only its days within the period");
    expect(await page.getByRole("link", { name: "Tables" }).getAttribute("aria-current")).toBe("page");
  });

  it("says so where no view holds the filters, and that one could be switched on", async () => {
    const mock = await shop();
    mock.shop.off.add("sales_facts");
    const page = await open({ url: mock.url, query: "?view=tables&category=Books&payment_method=PAYPAL", shows: "main section h3" });
    await page.getByText("The view “sales_facts” would").waitFor();
    await page.getByRole("button", { name: "PayPal" }).click();
    await page.waitForSelector("table tbody tr");
    expect(new Set(await column(page, 2))).toEqual(new Set(["Books"]));
  });
});

describe("a table of what the service holds", () => {
  it("asks for products sorted and searched, and turns their pages by cursors", async () => {
    const mock = await shop();
    const orders = Array.from({ length: 120 }, (_, at) => ({ ...mock.traffic.order(), id: `P-${at}`, product: `p${String(at).padStart(3, "0")}`, currency: "EUR", micros: BigInt(1 + at) }));
    mock.shop.commit(orders);
    const page = await open({ url: mock.url, query: "?view=tables&table=product&currency=EUR&sort=product&order=asc&search=p", shows: "text=p000" });
    expect(await rowsText(page)).toMatch(/^1–50$/);
    const seen = await column(page, 2);
    for (const first of ["51", "101"]) {
      await page.getByRole("button", { name: "Next" }).click();
      await page.waitForFunction((row) => document.querySelector("[data-testid=rows]")?.textContent.startsWith(`${row}–`), first);
      seen.push(...(await column(page, 2)));
    }
    expect(seen.filter((product) => product.startsWith("p"))).toEqual(orders.map(({ product }) => product));
    expect(await page.getByRole("button", { name: "Next" }).getAttribute("aria-disabled")).toBe("true");
    const { name, lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(name).toMatch(/^takings_product-totals_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d_EUR\.csv$/);
    expect(lines).toHaveLength(1 + seen.length);
    expect(lines.find((line) => line.startsWith("p007,"))).toBe("p007,,,EUR,0.000008,1,".concat(String(orders[7]?.units)));
  });

  it("is asked for again when the stream tells of a correction, and not by time alone", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?view=tables&table=corrections&currency=EUR" });
    const order = { ...mock.traffic.order(), id: "A-corrected", currency: "EUR", micros: 12_340_000n };
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    mock.shop.commit([order]);
    mock.publish();
    await page.waitForFunction((epoch) => document.querySelector("[data-epoch]")?.getAttribute("data-epoch") === epoch, String(mock.shop.epoch));
    expect(asked).not.toContain("/api/v1/corrections");
    mock.shop.commit([{ ...order, micros: 1_000_000n, units: order.units + 1 }]);
    mock.publish();
    const row = page.getByRole("row", { name: /A-corrected/ });
    await row.waitFor();
    expect(await row.textContent()).toContain("€12.34");
    expect(await row.textContent()).toContain("€1.00");
    await page.getByRole("searchbox").fill("a-CORR");
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
  });

  it("shows what could not be read, with the reason, and searches it", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?view=tables&table=rejected" });
    expect(await rowsText(page)).toBe("1–7 of 7");
    await page.getByRole("searchbox").fill("NOT JSON");
    await page.waitForFunction(() => document.querySelector("[data-testid=rows]")?.textContent === "1–2 of 2");
    expect(new Set(await column(page, 2))).toEqual(new Set(["not JSON: expected value at line 1 column 1"]));
  });

  it("says of which epochs a file is, and lets it be cancelled", async () => {
    const mock = await shop();
    const rejected = 5_000;
    mock.shop.commit([], { rejected });
    const page = await open({ url: mock.url, query: "?view=tables&table=rejected" });
    let hold = true;
    const held: (() => void)[] = [];
    await page.route(/rejected\?.*cursor=/, async (route) => {
      if (hold) await new Promise<void>((resolve) => held.push(resolve));
      else mock.shop.commit([]);
      await route.continue().catch(() => undefined);
    });
    await page.getByRole("button", { name: "Download CSV" }).click();
    await page.getByText("2,000 rows so far").waitFor();
    await page.getByRole("button", { name: "Cancel the file" }).click();
    await page.getByText("The file was cancelled.").waitFor();
    hold = false;
    for (const resume of held) resume();
    const first = mock.shop.epoch;
    const { lines } = await fileOf(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(lines).toHaveLength(1 + rejected + 7);
    await page.getByText(`made of epochs ${first} to ${mock.shop.epoch}`).waitFor();
  });

  it("keeps its rows and says what is wrong when the service fails", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?view=tables&table=rejected", expected: /status of 503/ });
    const answer = JSON.stringify({ error: { code: "store_away", message: "the store does not answer", hint: "wait" } });
    await page.route(/api\/v1\/rejected/, (route) => route.fulfill({ status: 503, contentType: "application/json", body: answer }));
    mock.shop.commit([], { rejected: 1 });
    mock.publish();
    await page.getByText("The rows could not be loaded: the store does not answer").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(7);
    expect(await page.textContent("[role=alert]")).toContain("(wait)");
    await page.unroute(/api\/v1\/rejected/);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForFunction(() => document.querySelector("[data-testid=rows]")?.textContent === "1–8 of 8");
    expect(await page.locator("[role=alert]").count()).toBe(0);
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
    const mock = await shop();
    const page = await open({ url: mock.url, query: `?view=tables&table=${table}`, viewport: { width, height: 900 }, ...rest });
    expect(await flaws(page)).toEqual([]);
  });

  it("is reached by links that keep the filters, and by keyboard", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?period=90&currency=USD", shows: "[data-testid=orders]" });
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

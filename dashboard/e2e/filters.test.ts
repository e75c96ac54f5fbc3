/** The filters, which are the address, and the chart elements that set them. */
import type { Page as Tab } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Page, ProductTotal } from "../src/api/types";
import { formatMoney } from "../src/i18n/money";
import { parseAmount } from "../src/live/amount";
import { has, lacks, listOf, order, rowsOf, type Shop } from "./shop";
import { flaws, panel, settled, visits } from "./visit";

const { shop, open } = visits();
const SHOWS = "[data-testid=orders]";

type Rows = Page<"sales_facts">["rows"];

const facts = (here: Shop): Promise<Rows> => rowsOf(here, "sales_facts");

const until = (page: Tab, text: string, code = "EUR") =>
  page.waitForFunction(
    ([wanted, currency]) => document.querySelector(`[data-testid=currency-${currency ?? ""}] .number`)?.textContent === wanted,
    [text, code],
  );
type Summed = Pick<Rows[number], "order_date" | "currency" | "total_sales">;
const sum = <Row extends Summed>(rows: readonly Row[], keep: (row: Row) => boolean, code = "EUR") =>
  formatMoney(
    rows.filter((row) => row.currency === code && keep(row)).reduce((all, row) => all + parseAmount(row.total_sales), 0n),
    code,
    2,
    "en-GB",
  );
const query = (page: Tab) => new URL(page.url()).searchParams;
const pill = (page: Tab, name: string) => page.getByRole("combobox", { name: new RegExp(`^${name}`) });
/** The product that sells best in euros. */
async function bestSeller({ url }: Shop): Promise<ProductTotal> {
  const { rows } = await listOf<{ rows: ProductTotal[] }>(url, "product_totals", { currency: "EUR", limit: "1" });
  if (!rows[0]) throw new Error("nothing was sold in euros");
  return rows[0];
}
/** The month of the year in which most euros were taken: `09`. */
async function busiestMonth(here: Shop): Promise<string> {
  const rows = (await rowsOf(here, "sales_per_month")).filter(({ currency }) => currency === "EUR");
  const [busiest] = rows.toSorted((a, b) => (parseAmount(a.total_sales) < parseAmount(b.total_sales) ? 1 : -1));
  return String(busiest?.month).padStart(2, "0");
}

describe("the filter bar", () => {
  it.runIf(has("sales_facts"))("narrows by category and payment method, by keyboard, to the cent; back and reload keep it", async () => {
    const here = await shop();
    const rows = await facts(here);
    const page = await open({ url: here.url, query: "?period=all", shows: SHOWS });
    await pill(page, "Category").press("Enter");
    await page.getByPlaceholder("Search: Category").fill("book");
    await page.keyboard.press("Enter");
    await until(page, sum(rows, ({ category }) => category === "Books"));
    expect(query(page).get("category")).toBe("Books");
    await pill(page, "Payment method").press("Enter");
    await page.getByRole("option", { name: "PayPal" }).click();
    const both = sum(rows, ({ category, payment_method }) => category === "Books" && payment_method === "PAYPAL");
    await until(page, both);
    await page.reload();
    await page.waitForSelector(SHOWS);
    await until(page, both);
    await page.goBack();
    await until(page, sum(rows, ({ category }) => category === "Books"));
    await page.getByRole("button", { name: "Remove the filter Category: Books" }).click();
    await until(page, sum(rows, () => true));
    expect(query(page).has("category")).toBe(false);
  });

  it("takes any range of days", async () => {
    const here = await shop();
    const rows = (await rowsOf(here, "sales_per_day")).filter(({ currency }) => currency === "EUR");
    const days = [...new Set(rows.map(({ order_date }) => order_date))].sort();
    const [from, to] = [days.at(-20) ?? "", days.at(-10) ?? ""];
    const page = await open({ url: here.url, shows: SHOWS });
    await page.getByRole("button", { name: "Range", exact: true }).click();
    await page.getByLabel("From").fill(from);
    await page.getByLabel("To", { exact: true }).fill(to);
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await until(page, sum(rows, ({ order_date }) => order_date >= from && order_date <= to));
    expect(query(page).get("period")).toBe(`${from}..${to}`);
  });

  it("finds a product by its name, and shows its sales, live", async () => {
    const here = await shop();
    const { product, name } = await bestSeller(here);
    const sought = name ?? product;
    const page = await open({ url: here.url, query: "?period=all", shows: SHOWS });
    await pill(page, "Product").click();
    const asked = page.waitForRequest(
      (request) => request.url().includes("product_totals") && new URL(request.url()).searchParams.get("search") === sought,
    );
    await page.getByPlaceholder("Search: Product").fill(sought);
    await asked;
    await page.locator("[role=option]", { hasText: sought }).first().click();
    await page.waitForFunction(() => new URLSearchParams(location.search).has("product"));
    expect(query(page).get("product")).toBe(product);
    await settled(page);
    const expected = async () => sum(await rowsOf(here, "sales_per_product", { product }), () => true);
    await until(page, await expected());
    await here.sell([order({ product })]);
    await until(page, await expected());
  });

  it.runIf(lacks("sales_facts"))("keeps panels in their places, and says which view would hold what is asked", async () => {
    const here = await shop();
    here.mock?.shop.off.add("sales_facts");
    const page = await open({ url: here.url, query: "?category=Books", shows: SHOWS });
    const methods = panel(page, "Payment methods");
    expect(await methods.textContent()).toContain("The view sales_facts holds this");
    expect(await panel(page, "The last hour").textContent()).toContain("all sales together alone");
    expect(await panel(page, "Best sellers").textContent()).toContain("No view tells sales apart in this way");
    await methods.getByRole("button", { name: "Without Category: Books" }).click();
    await methods.locator("tbody tr").first().waitFor();
    expect(query(page).has("category")).toBe(false);
  });

  it.runIf(lacks("sales_per_product"))("takes a product back whose view is switched off, also where a bookmark named it", async () => {
    const here = await shop();
    here.mock?.shop.off.add("sales_per_product");
    const page = await open({ url: here.url, query: "?product=1001&category=", shows: "[aria-label='What is shown']", expected: /status of 404/ });
    await page.getByText("The view sales_per_product holds this").first().waitFor();
    await page.getByRole("button", { name: /^Remove the filter Product/ }).click();
    await page.waitForSelector(SHOWS);
    await here.sell([order()]);
    await page.waitForSelector("[data-trust=live]");
    expect(await page.locator("[data-trust=lost]").count()).toBe(0);
  });

  it("is a list on a phone", async () => {
    const here = await shop();
    const page = await open({ url: here.url, shows: SHOWS, viewport: { width: 390, height: 844 } });
    await page.getByRole("combobox", { name: "Period" }).selectOption({ label: "7 days" });
    await settled(page);
    expect(query(page).get("period")).toBe("7");
  });

  it.each([
    { locale: "en-GB", colorScheme: "light", width: 1280, filter: "Category", period: "30" },
    { locale: "fr-FR", colorScheme: "dark", width: 390, filter: "Produit", period: "90" },
  ] as const)("has nothing that axe finds: $locale, $width", async ({ locale, colorScheme, width, filter, period }) => {
    const here = await shop();
    const { product } = await bestSeller(here);
    const address = `?${new URLSearchParams({ period, category: "Books", product }).toString()}`;
    const page = await open({ url: here.url, query: address, shows: "h3", locale, colorScheme, viewport: { width, height: 900 } });
    expect(await flaws(page)).toEqual([]);
    await pill(page, filter).click();
    await page.locator("[role=option]").first().waitFor();
    expect(await flaws(page)).toEqual([]);
  });
});

it("tells screen readers of what is narrowed to, and not of all sales", async () => {
  const here = await shop();
  await here.sell([order({ category: "Books" }), order({ category: "Toys" })]);
  const page = await open({ url: here.url, query: "?period=all&category=Books", shows: SHOWS });
  const told = page.locator("p[role=status][aria-live=polite]");
  await page.waitForFunction(() => document.querySelector("p[role=status][aria-live=polite]")?.textContent.includes("orders"));
  const books = (await rowsOf(here, "sales_per_category", { category: "Books" })).reduce((all, { orders }) => all + orders, 0);
  expect(await told.textContent()).toContain(` ${books.toLocaleString("en-GB")} orders.`);
});

describe("another currency", () => {
  /** The service's answers are held back from now on, and given, or refused, when the test says so. */
  async function holdTotals(page: Tab) {
    const held: ((status: number) => void)[] = [];
    await page.route(/api\/v1\/product_totals/, async (route) => {
      const status = await new Promise<number>((resolve) => held.push(resolve));
      if (status === 200) await route.continue();
      else await route.fulfill({ status, body: "{}" });
    });
    return (status: number) => { for (const answer of held.splice(0)) answer(status); };
  }
  const toFrancs = (page: Tab) => panel(page, "Orders by currency").getByRole("button", { name: /FCFA/ }).click();

  it("never has amounts of the one before, while its best sellers load and when they can not be", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?period=7&currency=EUR", shows: SHOWS, expected: /status of 400/ });
    const best = panel(page, "Best sellers");
    await best.locator("tbody tr").first().waitFor();
    const answer = await holdTotals(page);
    await toFrancs(page);
    await best.getByText("Loading the rows").waitFor();
    expect(await best.locator("tbody tr").count()).toBe(0);
    answer(400);
    await best.getByText("could not be loaded").waitFor();
    expect(await best.locator("tbody tr").count()).toBe(0);
    await page.unrouteAll();
  });

  it("never has the rows of the one before in the table of products", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?view=tables&table=product&currency=EUR", expected: /status of 400/ });
    const answer = await holdTotals(page);
    await pill(page, "Currency").click();
    await page.getByRole("option", { name: "FCFA" }).click();
    await page.getByText("Loading the rows").waitFor();
    expect(await page.locator("main tbody").textContent()).not.toContain("€");
    answer(400);
    await page.locator("[role=alert]").waitFor();
    expect(await page.locator("main tbody").textContent()).not.toMatch(/\d/);
    await page.unrouteAll();
  });
});

describe("chart elements", () => {
  /** A place in a panel's picture: parts of its width and height. */
  async function place(page: Tab, title: string, x: number, y: number): Promise<{ x: number; y: number }> {
    const picture = panel(page, title).locator("canvas");
    await picture.scrollIntoViewIfNeeded();
    const box = await picture.boundingBox();
    if (!box) throw new Error(`${title} has no picture`);
    return { x: box.x + box.width * x, y: box.y + box.height * y };
  }

  it("filter when clicked: rows, slices and cards", async () => {
    const here = await shop();
    const page = await open({ url: here.url, shows: SHOWS });
    const first = panel(page, "Sales per category").locator("tbody button").first();
    const category = (await first.textContent()) ?? "";
    await first.click();
    await page.waitForFunction((name) => new URLSearchParams(location.search).get("category") === name, category);
    await settled(page);
    await panel(page, "Sales per category").getByRole("button", { name: `${category}: show all again` }).click();
    await page.waitForFunction(() => !location.search.includes("category"));
    await panel(page, "Payment methods").locator("button[tabindex='-1']").first().click();
    await page.waitForFunction(() => location.search.includes("payment_method="));
    await page.getByRole("button", { name: "Clear all" }).click();
    await settled(page);
    await panel(page, "Best sellers").locator("tbody button").first().click();
    await page.waitForFunction(() => location.search.includes("product="));
    await page.getByRole("button", { name: "Clear all" }).click();
    await panel(page, "Orders by currency").getByRole("button", { name: /USD/ }).click();
    await page.waitForFunction(() => location.search.includes("currency=USD"));
  });

  it("filter by day when the line is clicked, by days when it is dragged over, and lead back", async () => {
    const here = await shop();
    const page = await open({ url: here.url, shows: SHOWS });
    await panel(page, "Sales per day").locator("canvas").waitFor();
    const [from, to] = [await place(page, "Sales per day", 0.3, 0.5), await place(page, "Sales per day", 0.6, 0.5)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 8 });
    await page.mouse.up();
    await page.waitForFunction(() => /period=\d{4}-\d\d-\d\d\.\.\d{4}-\d\d-\d\d/.test(location.search));
    const [first = "", last = ""] = query(page).get("period")?.split("..") ?? [];
    expect(first < last).toBe(true);
    await settled(page);
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !location.search.includes("period"));
    await settled(page);
    const middle = await place(page, "Sales per day", 0.5, 0.5);
    await page.mouse.click(middle.x, middle.y);
    await page.waitForFunction(() => /period=(\d{4}-\d\d-\d\d)\.\.\1/.test(location.search));
    await panel(page, "Sales per day").getByRole("button", { name: "30 days" }).click();
    await page.waitForFunction(() => !location.search.includes("period"));
  });

  it("filter by month, year and day of the calendar", async () => {
    const here = await shop({ days: 400, perDay: 6 });
    const page = await open({ url: here.url, query: "?period=all&currency=EUR", shows: SHOWS });
    const cell = panel(page, "Calendar").locator("rect[data-day]").nth(5);
    const day = await cell.getAttribute("data-day");
    await cell.click();
    await page.waitForFunction((wanted) => location.search.includes(`${wanted}..${wanted}`), day);
    const year = panel(page, "Sales per year").locator("tbody button").first();
    const name = (await year.textContent()) ?? "";
    await year.click();
    await page.waitForFunction((wanted) => location.search.includes(`${wanted}-01-01..${wanted}-12-31`), name);
    await settled(page);
    // The foot of its bar is there to be hit.
    const month = await busiestMonth(here);
    const foot = await place(page, "Sales per month", 0.04 + (0.95 * (Number(month) - 0.5)) / 12, 0.86);
    await page.mouse.move(foot.x, foot.y);
    await page.mouse.click(foot.x, foot.y);
    await page.waitForFunction((picked) => new RegExp(`period=\\d{4}-${picked}-01\\.\\.`).test(location.search), month);
  });

  it("have rows that do the same by keyboard", async () => {
    const here = await shop({ days: 400, perDay: 6 });
    const page = await open({ url: here.url, shows: SHOWS });
    for (const [title, period] of [
      ["Calendar", /period=(\d{4}-\d\d-\d\d)\.\.\1/],
      ["Sales per month", /period=\d{4}-\d\d-01\.\./],
      ["Sales per day", /period=(\d{4}-\d\d-\d\d)\.\.\1/],
    ] as const) {
      await panel(page, title).getByRole("button", { name: /as a table/ }).press("Enter");
      await panel(page, title).locator("tbody button").nth(1).press("Enter");
      await page.waitForFunction((source) => new RegExp(source).test(location.search), period.source);
      await settled(page);
      await page.goto(`${here.url}/`);
      await page.waitForSelector(SHOWS);
    }
  });
});

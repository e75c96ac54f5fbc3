/** A number explained in a browser. */
import { describe, expect, it } from "vitest";
import type { Order, ProductTotal } from "../src/api/types";
import { createFormat } from "../src/i18n/format";
import { addDays, today } from "../src/live/period";
import { hasOrders, isReal, lacksOrders, listOf, order, rowsOf, type Shop } from "./shop";
import { summaryOf } from "./target";
import { column, flaws, panel, visits } from "./visit";

const { shop, open } = visits();
const format = createFormat("en", ["en-GB"]);
/** As many lists as say whether they sum to the total. */
const CHECKS = hasOrders ? 5 : 4;

type Tab = Awaited<ReturnType<typeof open>>;

const total = (page: Tab) => page.getByTestId("explained").textContent();
/** Leads from the table's first row of this name to its explanation. */
const follow = async (page: Tab, box: string, link: string) => {
  await panel(page, box).getByRole("link", { name: link }).click();
  await page.waitForFunction(() => document.activeElement?.id === "explained");
};

/** A currency in which nothing else is sold, all on one day, so that all is known of it. */
const CODE = "CHF";
const QUIET_DAY = addDays(today(), -10);
const quietOrder = order({ day: QUIET_DAY, currency: CODE, category: "Books", payment_method: "PAYPAL", units: 1 });
const sold = {
  first: { ...quietOrder, id: `Q-1-${quietOrder.id}`, product: "One", micros: 12_340_000n },
  second: { ...quietOrder, id: `Q-2-${quietOrder.id}`, product: "Two", micros: 7_660_001n, payment_method: "CASH" },
  third: { ...quietOrder, id: `Q-3-${quietOrder.id}`, product: "Two", micros: 5_000_000n, category: "Toys" },
};
let quieted = false;

/** Sells them: once, where all tests look at one shop. */
async function quiet(here: Shop): Promise<void> {
  if (quieted && isReal) return;
  const { first, second, third } = sold;
  await here.sell([first, second, third]);
  await here.sell([{ ...first, micros: 2_340_000n }, third.id]);
  quieted = true;
}

const money = (micros: bigint) => format.money(micros, CODE, 2);
const DAY = `?view=explain&currency=${CODE}&period=${QUIET_DAY}..${QUIET_DAY}`;
/** The newest first. */
const ordersOf = async ({ url }: Shop) => (await listOf<{ rows: Order[] }>(url, "orders", { currency: CODE, from: QUIET_DAY })).rows;

describe("a number", () => {
  it("is what its days, categories, methods, products and orders sum to, exactly", async () => {
    const here = await shop();
    const page = await open({ url: here.url, query: "?view=explain&period=7&currency=EUR" });
    await page.waitForFunction((all) => document.querySelectorAll("[data-check]").length === all, CHECKS);
    const checks = () => page.locator("[data-check]").allTextContents();
    const from = addDays(today(), -6);
    const days = (await rowsOf(here, "sales_per_day", { from })).filter(({ currency }) => currency === "EUR").length;
    expect(days).toBeGreaterThan(1);
    expect((await checks())[0]).toBe(`These ${days} days sum to the total exactly`);
    for (const box of ["Its products", ...(hasOrders ? ["Its orders"] : [])]) {
      const next = panel(page, box).getByRole("button", { name: "Next" });
      while ((await panel(page, box).locator("[data-check=exact]").count()) === 0) {
        expect(await panel(page, box).locator("[data-check=part]").count()).toBe(1);
        const before = await panel(page, box).getByTestId("rows").textContent();
        await next.click();
        await page.waitForFunction(
          ([name = "", text = ""]) =>
            [...document.querySelectorAll("section")].some(
              (section) =>
                section.querySelector("h3")?.textContent === name &&
                section.querySelector("[data-testid=rows]")?.textContent !== text &&
                section.querySelector("[data-check]") !== null,
            ),
          [box, before ?? ""],
        );
      }
    }
    expect(await page.locator("[data-check=exact]").count()).toBe(CHECKS);
    expect((await checks()).every((text) => text.endsWith("sum to the total exactly"))).toBe(true);
  });

  it.runIf(hasOrders)("is told with its orders' places in the log, and what corrected it: why, from what to what, by how much", async () => {
    const here = await shop();
    await quiet(here);
    const page = await open({ url: here.url, query: DAY });
    expect(await total(page)).toBe(money(10_000_001n));
    await panel(page, "Its orders").locator("tbody tr").first().waitFor();
    const orders = await ordersOf(here);
    expect(new Set(orders.map(({ order_id }) => order_id))).toEqual(new Set([sold.first.id, sold.second.id]));
    expect(await panel(page, "Its orders").locator("tbody th").allTextContents()).toEqual(orders.map(({ order_id }) => order_id));
    expect(await panel(page, "Its orders").locator("tbody tr td:last-child").allTextContents()).toEqual(
      orders.map(({ topic, partition, offset }) => `${topic} · ${partition} · ${offset}`),
    );
    expect(await panel(page, "Its orders").locator("[data-check]").textContent()).toBe("These 2 orders sum to the total exactly");
    const corrections = panel(page, "Corrections that changed it").locator("tbody tr");
    await corrections.first().waitFor();
    const cells = await corrections.evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    const said = cells.map(([id, when, why, change, effect]) => {
      expect(when).toMatch(/\d/);
      return [id, why, change?.replace(/(was|now) /g, ""), effect];
    });
    expect(said.toSorted()).toEqual([
      [sold.first.id, "Corrected", money(12_340_000n) + money(2_340_000n), money(-10_000_000n)],
      [sold.third.id, "Cancelled", money(5_000_000n), money(-5_000_000n)],
    ]);
  });

  it("leads on to its parts, each under the filters so far, and back", async () => {
    const here = await shop();
    await quiet(here);
    const page = await open({ url: here.url, query: `?view=explain&currency=${CODE}&period=all` });
    await follow(page, "Its days", format.weekday(QUIET_DAY));
    expect(page.url()).toContain(`period=${QUIET_DAY}..${QUIET_DAY}`);
    await follow(page, "Its categories", "Books");
    expect(await total(page)).toBe(money(10_000_001n));
    if (hasOrders) {
      await panel(page, "Its payment methods").locator("tbody tr").first().waitFor();
      const orders = await ordersOf(here);
      expect(await panel(page, "Its orders").locator("tbody th").allTextContents()).toEqual(orders.map(({ order_id }) => order_id));
      expect(await panel(page, "Its payment methods").locator("[data-check]").textContent()).toBe(
        "These 2 payment methods sum to the total exactly",
      );
    }
    await page.goBack();
    await page.goBack();
    await panel(page, "Its days").waitFor();
    await follow(page, "Its products", "Two");
    expect(page.url()).toContain("product=Two");
    expect(await total(page)).toBe(money(7_660_001n));
  });

  it("is led to from a table's rows and from the sum below them", async () => {
    const here = await shop();
    await quiet(here);
    const page = await open({ url: here.url, query: `?view=tables&currency=${CODE}&period=all` });
    expect(await column(page, 3)).toEqual([money(10_000_001n)]);
    await page.locator("tfoot").getByRole("link").click();
    await page.waitForSelector("[data-testid=explained]");
    expect(await total(page)).toBe(money(10_000_001n));
    await page.goBack();
    await page.locator("tbody").getByRole("link").press("Enter");
    await page.waitForSelector("[data-testid=explained]");
    expect(page.url()).toContain("category=Books");
    expect(page.url()).toContain(`period=${QUIET_DAY}..${QUIET_DAY}`);
  });

  it.runIf(hasOrders)("says which epochs the rows are of where they were read at another than the total", async () => {
    const here = await shop();
    await quiet(here);
    const page = await open({ url: here.url, query: DAY });
    await panel(page, "Its orders").locator("[data-check=exact]").waitFor();
    const { epoch } = await summaryOf(here.url);
    await page.route(/api\/v1\/orders/, () => new Promise(() => undefined));
    const later = await here.sell([{ ...sold.second, micros: 1_000_000n }]);
    await panel(page, "Its orders").locator("[data-check=moved]").waitFor();
    const said = await panel(page, "Its orders").locator("[data-check]").textContent();
    expect(said).toBe(`These 2 orders sum to ${money(10_000_001n)} (epoch ${epoch}); the total is of epoch ${later}`);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await here.sell([sold.second]);
  });

  it.runIf(lacksOrders)("says how single orders could be shown where they are not kept, and does not ask for them", async () => {
    const here = await shop({ days: 3 });
    if (here.mock) here.mock.shop.ordersKept = false;
    const page = await open({ url: here.url, query: "?view=explain&period=all", shows: "[data-testid=explained]" });
    await panel(page, "Its orders").getByText("--keep-orders").waitFor();
  });

  it("stays with what it was while a filter that no view holds is set, and says so", async () => {
    const here = await shop({ days: 3 });
    const { rows } = await listOf<{ rows: ProductTotal[] }>(here.url, "product_totals", { limit: "1" });
    const narrowed = new URLSearchParams({ view: "explain", period: "all", product: rows[0]?.product ?? "", category: "Books" });
    const page = await open({ url: here.url, query: `?${narrowed.toString()}`, shows: "#explained" });
    expect(await page.textContent("main")).toContain("No view holds this combination of filters");
    await page.getByRole("button", { name: "Books" }).click();
    expect(page.url()).not.toContain("category");
  });
});

it.each([
  { colorScheme: "light", locale: "en-GB", width: 1280 },
  { colorScheme: "dark", locale: "fr-FR", width: 1280 },
  { colorScheme: "light", locale: "fr-FR", width: 390 },
  { colorScheme: "dark", locale: "en-GB", width: 320 },
] as const)("has nothing that axe finds: $colorScheme, $locale, $width", async ({ width, ...rest }) => {
  const here = await shop();
  const page = await open({ url: here.url, query: "?view=explain", viewport: { width, height: 900 }, ...rest });
  await page.waitForFunction((all) => document.querySelectorAll("[data-check]").length === all, CHECKS);
  expect(await flaws(page)).toEqual([]);
});

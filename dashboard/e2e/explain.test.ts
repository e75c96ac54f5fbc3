/** A number explained in a browser, against the contract over a shop in memory. */
import { describe, expect, it } from "vitest";
import { column, flaws, visits, type Mock } from "./visit";

const { shop, open } = visits();

type Tab = Awaited<ReturnType<typeof open>>;

const panel = (page: Tab, name: string) => page.locator("section", { has: page.getByRole("heading", { name, exact: true }) });
const total = (page: Tab) => page.getByTestId("explained").textContent();
/** Leads from the table's first row of this name to its explanation. */
const follow = async (page: Tab, box: string, link: string) => {
  await panel(page, box).getByRole("link", { name: link }).click();
  await page.waitForFunction(() => document.activeElement?.id === "explained");
};

/** The only orders of a day, so that all is known of it. */
function quiet({ shop: store, traffic }: Mock): void {
  const order = { ...traffic.order(), day: "2026-11-20", currency: "EUR", category: "Books", payment_method: "PAYPAL", units: 1 };
  store.commit([
    { ...order, id: "Q-1", product: "1000", micros: 12_340_000n },
    { ...order, id: "Q-2", product: "1001", micros: 7_660_001n, payment_method: "CASH" },
    { ...order, id: "Q-3", product: "1001", micros: 5_000_000n, category: "Toys" },
    { ...order, id: "Q-4", product: "1002", micros: 99_000_000n, currency: "USD" },
  ]);
  store.commit([{ ...order, id: "Q-1", product: "1000", micros: 2_340_000n }, "Q-3"]);
}

const DAY = "?view=explain&currency=EUR&period=2026-11-20..2026-11-20";

describe("a number", () => {
  it("is what its days, categories, methods, products and orders sum to, exactly", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, query: "?view=explain&period=7&currency=EUR" });
    await page.waitForFunction(() => document.querySelectorAll("[data-check]").length === 5);
    const checks = () => page.locator("[data-check]").allTextContents();
    expect((await checks())[0]).toBe("These 7 days sum to the total exactly");
    for (const box of ["Its products", "Its orders"]) {
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
    expect(await page.locator("[data-check=exact]").count()).toBe(5);
    expect((await checks()).every((text) => text.endsWith("sum to the total exactly"))).toBe(true);
  });

  it("is told with its orders' places in the log, and what corrected it: why, from what to what, by how much", async () => {
    const mock = await shop({ days: 0 });
    quiet(mock);
    const page = await open({ url: mock.url, query: DAY });
    expect(await total(page)).toBe("€10.000001");
    await panel(page, "Its orders").locator("tbody tr").first().waitFor();
    expect(await panel(page, "Its orders").locator("tbody th").allTextContents()).toEqual(["Q-2", "Q-1"]);
    expect(await panel(page, "Its orders").locator("tbody tr td:last-child").allTextContents()).toEqual([
      "product_sold · 1 · 0",
      "product_sold · 0 · 0",
    ]);
    expect(await panel(page, "Its orders").locator("[data-check]").textContent()).toBe("These 2 orders sum to the total exactly");
    const corrections = panel(page, "Corrections that changed it").locator("tbody tr");
    await corrections.first().waitFor();
    const said = await corrections.allTextContents();
    expect(said.map((text) => text.replace(/(was|now) /g, "").replace(/product_sold.*/, ""))).toEqual([
      "Q-3epoch 2Cancelled€5.00-€5.00",
      "Q-1epoch 2Corrected€12.34€2.34-€10.00",
    ]);
  });

  it("leads on to its parts, each under the filters so far, and back", async () => {
    const mock = await shop({ days: 0 });
    quiet(mock);
    const page = await open({ url: mock.url, query: "?view=explain&currency=EUR&period=all" });
    await follow(page, "Its days", "Fri, 20 Nov 2026");
    expect(page.url()).toContain("period=2026-11-20..2026-11-20");
    await follow(page, "Its categories", "Books");
    expect(await total(page)).toBe("€10.000001");
    expect(await panel(page, "Its orders").locator("tbody th").allTextContents()).toEqual(["Q-2", "Q-1"]);
    expect(await panel(page, "Its payment methods").locator("[data-check]").textContent()).toBe(
      "These 2 payment methods sum to the total exactly",
    );
    await page.goBack();
    await page.goBack();
    await panel(page, "Its days").waitFor();
    await follow(page, "Its products", "1001");
    expect(page.url()).toContain("product=1001");
  });

  it("is led to from a table's rows and from the sum below them", async () => {
    const mock = await shop({ days: 0 });
    quiet(mock);
    const page = await open({ url: mock.url, query: "?view=tables&currency=EUR&period=all" });
    expect(await column(page, 3)).toEqual(["€10.000001"]);
    await page.locator("tfoot").getByRole("link").click();
    await page.waitForSelector("[data-testid=explained]");
    expect(await total(page)).toBe("€10.000001");
    await page.goBack();
    await page.locator("tbody").getByRole("link").press("Enter");
    await page.waitForSelector("[data-testid=explained]");
    expect(page.url()).toContain("category=Books");
    expect(page.url()).toContain("period=2026-11-20..2026-11-20");
  });

  it("says which epochs the rows are of where they were read at another than the total", async () => {
    const mock = await shop({ days: 0 });
    quiet(mock);
    const page = await open({ url: mock.url, query: DAY });
    await panel(page, "Its orders").locator("[data-check=exact]").waitFor();
    const { epoch } = mock.shop;
    await page.route(/api\/v1\/orders/, () => new Promise(() => undefined));
    const shown = mock.shop.orders.get("Q-2");
    if (shown) mock.shop.commit([{ ...shown, micros: 1_000_000n }]);
    mock.publish();
    await panel(page, "Its orders").locator("[data-check=moved]").waitFor();
    expect(await panel(page, "Its orders").locator("[data-check]").textContent()).toBe(
      `These 2 orders sum to €10.000001 (epoch ${epoch}); the total is of epoch ${epoch + 1}`,
    );
  });

  it("says how single orders could be shown where they are not kept", async () => {
    const mock = await shop({ days: 3 });
    mock.shop.ordersKept = false;
    const page = await open({ url: mock.url, query: "?view=explain&period=all", expected: /status of 404/ });
    await panel(page, "Its orders").getByText("--keep-orders").waitFor();
  });

  it("stays with what it was while a filter that no view holds is set, and says so", async () => {
    const mock = await shop({ days: 3 });
    const page = await open({ url: mock.url, query: "?view=explain&period=all&product=1000&category=Books", shows: "#explained" });
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
  const mock = await shop();
  const page = await open({ url: mock.url, query: "?view=explain", viewport: { width, height: 900 }, ...rest });
  await page.waitForFunction(() => document.querySelectorAll("[data-check]").length === 5);
  expect(await flaws(page)).toEqual([]);
});

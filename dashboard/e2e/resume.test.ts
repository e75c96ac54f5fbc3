/** What the page asks the service for: one snapshot, one stream, and after that nothing that time alone would ask for. */
import type { Page as Tab } from "playwright-core";
import { describe, expect, it } from "vitest";
import { openGate } from "./gate.mjs";
import { visits, type Mock } from "./visit";

const { shop, open } = visits();
const shows = "[data-testid=orders]";
/** Asked for when the stream says that there is something new, names and lists alone. */
const LISTS = ["/api/v1/corrections", "/api/v1/products", "/api/v1/audit", "/api/v1/product_totals"];

const requests = (page: Tab): string[] => {
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.startsWith("/api/") && !LISTS.includes(pathname)) asked.push(`${pathname}${search}`);
  });
  return asked;
};
const epochOn = (page: Tab) => page.getAttribute("[data-epoch]", "data-epoch").then(Number);
const until = (page: Tab, epoch: number) =>
  page.waitForFunction((least) => Number(document.querySelector("[data-epoch]")?.getAttribute("data-epoch")) >= least, epoch);
const order = (mock: Mock, times = 1) => {
  for (let n = 0; n < times; n += 1) mock.traffic.tick(mock.shop);
  mock.publish();
};
const streams = (asked: readonly string[]) => asked.filter((each) => each.startsWith("/api/v1/events"));

describe("the page", () => {
  it("never polls: through commits and silence it asks for nothing but lists that changed", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, shows });
    await page.waitForLoadState("load");
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    const asked = requests(page);
    for (let n = 0; n < 40; n += 1) {
      order(mock);
      await until(page, mock.shop.epoch);
    }
    // An hour of the page's own clock in which nothing happens.
    await page.clock.install();
    await page.clock.fastForward(20_000);
    expect(asked).toEqual([]);
  });

  it("resumes by its last event after a cut that is longer than a heartbeat", { timeout: 120_000 }, async () => {
    const mock = await shop();
    const gate = await openGate(mock.url);
    const page = await open({ url: gate.url, shows });
    const before = await epochOn(page);
    const asked = requests(page);
    gate.shut();
    await page.waitForSelector("[data-trust=lost]");
    order(mock, 3);
    await page.waitForTimeout(16_000);
    expect(await epochOn(page)).toBe(before);
    gate.reopen();
    await until(page, mock.shop.epoch);
    // Whether the session holds is asked once contact is lost; numbers come by the stream alone.
    expect(new Set(asked.map((each) => each.split("?")[0]))).toEqual(new Set(["/api/v1/events", "/api/v1/session"]));
    expect(await page.getAttribute("[data-trust]", "data-trust")).not.toBe("lost");
    await gate.close();
  });

  it("resumes after a sleep", { timeout: 120_000 }, async () => {
    const mock = await shop();
    const gate = await openGate(mock.url);
    const page = await open({ url: gate.url, shows });
    const session = await page.context().newCDPSession(page);
    const asked = requests(page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    // Networks drop what sleeps.
    gate.shut();
    order(mock, 5);
    gate.reopen();
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await until(page, mock.shop.epoch);
    expect(asked.filter((each) => !/^\/api\/v1\/(events|session)/.test(each))).toEqual([]);
    await gate.close();
  });

  it("loads anew where the service can not resume, and shows the old numbers until then", async () => {
    const mock = await shop();
    const gate = await openGate(mock.url);
    const page = await open({ url: gate.url, shows });
    const text = await page.textContent(shows);
    gate.shut();
    await page.waitForSelector("[data-trust=lost]");
    order(mock, 2);
    mock.shop.forget();
    const asked = requests(page);
    expect(await page.textContent(shows)).toBe(text);
    gate.reopen();
    await until(page, mock.shop.epoch);
    expect(asked).toContain("/api/v1/summary");
    await gate.close();
  });

  it("fetches a filter's rows alone, and follows a product on the stream that it has", async () => {
    const mock = await shop();
    const page = await open({ url: mock.url, shows });
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    const asked = requests(page);
    const go = (query: string) =>
      page.evaluate((next) => {
        window.history.pushState(null, "", next);
        window.dispatchEvent(new PopStateEvent("popstate"));
      }, query);
    await Promise.all([page.waitForRequest(/sales_facts/), go("/?category=Books")]);
    await Promise.all([page.waitForRequest(/sales_per_product/), go("/?product=1000")]);
    order(mock, 2);
    await until(page, mock.shop.epoch);
    const views = new Set(asked.map((each) => each.split("?")[0]));
    expect(views).toEqual(new Set(["/api/v1/sales_per_category", "/api/v1/sales_facts", "/api/v1/sales_per_product", "/api/v1/events"]));
    expect(streams(asked).every((each) => each.includes("product=1000") && each.includes("last_event_id="))).toBe(true);
  });
});

describe("trust", () => {
  it("leads to the rejected records, and says what was found of which days", async () => {
    const mock = await shop({ days: 40 });
    mock.shop.differing = 2;
    const page = await open({ url: mock.url, shows });
    await page.getByTestId("proof").click();
    const stretches = page.locator("[data-state]");
    await stretches.nth(1).waitFor();
    expect(await stretches.evaluateAll((each) => each.map((one) => one.getAttribute("data-state")))).toEqual(["differs", "proven"]);
    await page.keyboard.press("Escape");
    expect(await stretches.count()).toBe(0);
    await page.getByRole("link", { name: "Rejected" }).click();
    expect(new URL(page.url()).search).toBe("?view=tables&table=rejected");
  });

  it("tells its states apart in words, and keeps the age of the newest number when contact is lost", async () => {
    const mock = await shop();
    const gate = await openGate(mock.url);
    const page = await open({ url: gate.url, shows });
    order(mock);
    await page.waitForSelector("[data-trust=live]");
    expect(await page.textContent("[data-trust]")).toContain("Live");
    gate.shut();
    await page.waitForSelector("[data-trust=lost]");
    expect(await page.textContent("[data-trust]")).toMatch(/No contact.*trying again, newest number/);
    await gate.close();
  });
});

/** What the page asks the service for: one snapshot, one stream, and after that nothing that time alone would ask for. */
import type { Page as Tab } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Audit } from "../src/api/types";
import { stretchesOf } from "../src/live/proof";
import { openGate } from "./gate.mjs";
import { has, isReal, listOf, order, type Shop } from "./shop";
import { panel, reached, settled, visits } from "./visit";

const { shop, open } = visits();
const shows = "[data-testid=orders]";
/** Asked for when the stream says that there is something new, names and lists alone; what was proven, also without. */
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
/** A tab is hidden for longer than it keeps its stream, or shown. A browser without a screen shows all of them. */
const look = async (page: Tab, state: DocumentVisibilityState) => {
  if (state === "hidden") await page.clock.install();
  await page.evaluate((now) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => now });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
  if (state === "hidden") await page.clock.fastForward(31_000);
};
const sell = ({ sell: ring }: Shop) => ring([order()]);
const streams = (asked: readonly string[]) => asked.filter((each) => each.startsWith("/api/v1/events"));

describe("the page", () => {
  it("never polls: through commits and silence it asks for nothing but lists that changed", async () => {
    const here = await shop();
    const page = await open({ url: here.url, shows });
    await page.waitForLoadState("load");
    await settled(page);
    const asked = requests(page);
    for (let n = 0; n < 20; n += 1) await reached(page, await sell(here));
    // An hour of the page's own clock in which nothing happens.
    await page.clock.install();
    await page.clock.fastForward(20_000);
    expect(asked).toEqual([]);
  });

  it("resumes by its last event after a cut that is longer than a heartbeat", { timeout: 120_000 }, async () => {
    const here = await shop();
    const gate = await openGate(here.url);
    const page = await open({ url: gate.url, shows });
    const before = await epochOn(page);
    const asked = requests(page);
    gate.shut();
    await page.waitForSelector("[data-trust=lost]");
    for (let n = 0; n < 2; n += 1) await sell(here);
    const last = await sell(here);
    await page.waitForTimeout(16_000);
    expect(await epochOn(page)).toBe(before);
    gate.reopen();
    await reached(page, last);
    // Whether the session holds is asked once contact is lost; numbers come by the stream alone.
    expect(new Set(asked.map((each) => each.split("?")[0]))).toEqual(new Set(["/api/v1/events", "/api/v1/session"]));
    expect(await page.getAttribute("[data-trust]", "data-trust")).not.toBe("lost");
    await gate.close();
  });

  it("resumes after a sleep", { timeout: 120_000 }, async () => {
    const here = await shop();
    const gate = await openGate(here.url);
    const page = await open({ url: gate.url, shows });
    const session = await page.context().newCDPSession(page);
    const asked = requests(page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    // Networks drop what sleeps.
    gate.shut();
    await sell(here);
    const last = await sell(here);
    gate.reopen();
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await reached(page, last);
    expect(asked.filter((each) => !/^\/api\/v1\/(events|session)/.test(each))).toEqual([]);
    await gate.close();
  });

  it("gives its connection back behind other tabs, of which a browser has six for a host", { timeout: 180_000 }, async () => {
    const here = await shop();
    const first = await open({ url: here.url, shows });
    await settled(first);
    const asked = requests(first);
    const before = await epochOn(first);
    // Five tabs hold theirs, and the sixth connection brings each of them its numbers.
    await look(first, "hidden");
    await first.waitForSelector("[data-trust=behind]");
    expect(await first.textContent("[data-trust]")).toContain("paused while nobody looks");
    const others: Tab[] = [];
    for (let tabs = 0; tabs < 5; tabs += 1) {
      const tab = await first.context().newPage();
      await tab.goto(here.url);
      await tab.waitForSelector(shows);
      others.push(tab);
    }
    const last = await sell(here);
    const newest = others.at(-1);
    if (newest) await reached(newest, last);
    expect([asked, await epochOn(first)]).toEqual([[], before]);
    for (const tab of others) await tab.close();
    await look(first, "visible");
    await reached(first, last);
    expect(asked.map((each) => each.replace(/\d+-[0-9a-f]+$/, "N"))).toEqual(["/api/v1/events?last_event_id=N"]);
  });

  it.runIf(has("sales_facts"))("fetches a filter's rows alone, and follows a product on the stream that it has", async () => {
    const here = await shop();
    const page = await open({ url: here.url, shows });
    await settled(page);
    const { product } = order();
    const asked = requests(page);
    const go = (query: string) =>
      page.evaluate((next) => {
        window.history.pushState(null, "", next);
        window.dispatchEvent(new PopStateEvent("popstate"));
      }, query);
    await Promise.all([page.waitForRequest(/sales_facts/), go("/?category=Books")]);
    await settled(page);
    await Promise.all([page.waitForRequest(/sales_per_product/), go(`/?${new URLSearchParams({ product: product ?? "" }).toString()}`)]);
    await reached(page, await sell(here));
    const views = new Set(asked.map((each) => each.split("?")[0]));
    expect(views).toEqual(new Set(["/api/v1/sales_per_category", "/api/v1/sales_facts", "/api/v1/sales_per_product", "/api/v1/events"]));
    const followed = streams(asked).map((each) => new URLSearchParams(each.split("?")[1]));
    expect(followed.every((stream) => stream.get("product") === product && stream.has("last_event_id"))).toBe(true);
  });
});

describe("trust", () => {
  it("leads to the rejected records, and says what was found of which days", { timeout: 180_000 }, async () => {
    const here = await shop({ days: 40 });
    if (here.mock) here.mock.shop.differing = 2;
    const days = async () => (await listOf<Audit>(here.url, "audit", { limit: "1000" })).rows;
    // The job's audit takes its time.
    await expect.poll(async () => (await days()).length, { timeout: 120_000 }).toBeGreaterThan(0);
    const page = await open({ url: here.url, shows });
    await page.getByTestId("proof").click();
    const stretches = page.locator("[data-state]");
    await stretches.first().waitFor();
    const states = stretchesOf(await days()).map(({ state }) => state);
    expect(await stretches.evaluateAll((each) => each.map((one) => one.getAttribute("data-state")))).toEqual(states);
    if (!isReal) expect(states).toEqual(["differs", "proven"]);
    await page.keyboard.press("Escape");
    expect(await stretches.count()).toBe(0);
    // A picked day is led back from by the same key: the list alone is closed by it first.
    await panel(page, "Sales per day").getByRole("button", { name: /as a table/ }).press("Enter");
    await panel(page, "Sales per day").locator("tbody button").nth(1).press("Enter");
    await page.waitForFunction(() => location.search.includes("period="));
    await settled(page);
    await page.getByTestId("proof").click();
    await stretches.first().waitFor();
    await page.keyboard.press("Escape");
    expect(await stretches.count()).toBe(0);
    expect(new URL(page.url()).search).toContain("period=");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !location.search.includes("period="));
    await page.getByRole("link", { name: "Rejected" }).click();
    expect(new URL(page.url()).search).toBe("?view=tables&table=rejected");
  });

  it("tells its states apart in words, and keeps the age of the newest number when contact is lost", async () => {
    const here = await shop();
    const gate = await openGate(here.url);
    const page = await open({ url: gate.url, shows });
    await sell(here);
    await page.waitForSelector("[data-trust=live]");
    expect(await page.textContent("[data-trust]")).toContain("Live");
    gate.shut();
    await page.waitForSelector("[data-trust=lost]");
    expect(await page.textContent("[data-trust]")).toMatch(/No contact.*trying again, newest number/);
    await gate.close();
  });
});

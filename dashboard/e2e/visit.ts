/** A page that is opened for a test, watched while it is, and closed with it. */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type { Browser, BrowserContextOptions, Page as Tab } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { startMock } from "../tests/mock/server.mjs";
import { launch } from "./browser.mjs";
import { guardedShop, isReal, realShop, shopInMemory, type MockOptions, type Shop } from "./shop";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Visit = BrowserContextOptions & {
  readonly url: string;
  readonly query?: string;
  /** What is on the page once it is there. */
  readonly shows?: string;
  /** How long that may take, in milliseconds. */
  readonly patience?: number;
  /** Faults that belong to the test. */
  readonly expected?: RegExp;
};

export interface Visits {
  /** The real shop, or one in memory with these options. */
  readonly shop: (options?: MockOptions) => Promise<Shop>;
  /** A service that needs this token, before a shop of some days. */
  readonly guarded: () => Promise<{ readonly url: string; readonly token: string }>;
  readonly open: (visit: Visit) => Promise<Tab>;
}

/** The browser of a test file. What a page logs as an error fails the test, a broken policy too. */
export function visits(): Visits {
  let browser: Browser;
  const closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await browser.close();
  });
  const mocked = async (options: MockOptions) => {
    const mock = await startMock({ days: 60, perDay: 30, ...options });
    closing.push(() => mock.stop());
    return mock;
  };
  return {
    shop: async (options = {}) => (isReal ? realShop : shopInMemory(await mocked(options))),
    guarded: async () => {
      if (isReal) return guardedShop;
      const { url, door } = await mocked({ days: 10 });
      return { url, token: (door.token = "hunter2") };
    },
    open: async ({ url, query = "", shows = "table tbody tr", patience = 30_000, expected, ...options }) => {
      const context = await browser.newContext({ locale: "en-GB", colorScheme: "light", acceptDownloads: true, ...options });
      const page = await context.newPage();
      const faults: string[] = [];
      const note = (text: string) => {
        if (!text.includes("net::ERR_") && expected?.test(text) !== true) faults.push(text);
      };
      page.on("console", (message) => { if (message.type() === "error") note(message.text()); });
      page.on("pageerror", (error) => { note(error.message); });
      closing.push(async () => {
        await context.close();
        expect(faults).toEqual([]);
      });
      await page.goto(`${url}/${query}`, { timeout: patience });
      await page.waitForSelector(shows, { timeout: patience });
      return page;
    },
  };
}

export const settled = (page: Tab) => page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));

export const panel = (page: Tab, title: string) =>
  page.locator("section", { has: page.getByRole("heading", { name: title, exact: true }) });

/** The number that the text writes. */
export const digits = (text: string | null | undefined): number => Number((text ?? "").replace(/\D/g, ""));

/** Until the page stands at this epoch, or beyond it. */
export const reached = (page: Tab, epoch: number, timeout = 30_000) =>
  page.waitForFunction((least) => Number(document.querySelector("[data-epoch]")?.getAttribute("data-epoch")) >= least, epoch, { timeout });

/** What axe finds, and what reaches beyond the window. */
export async function flaws(page: Tab): Promise<string[]> {
  // A glow in the middle of its fade is no colour to judge.
  await page.evaluate(() => { for (const glow of document.getAnimations()) glow.finish(); });
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  });
  const beyond = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > width)
      .slice(0, 8)
      .map((element) => `beyond: ${element.outerHTML.slice(0, 120)}`);
  });
  return [...found, ...beyond];
}

/** What of the wall does not fit on the screen, or is cut where it stands. */
export const beyond = (page: Tab) =>
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

/** The file that the action makes, as text, with its name. */
export async function fileOf(page: Tab, action: () => Promise<void>): Promise<{ name: string; lines: string[] }> {
  const [download] = await Promise.all([page.waitForEvent("download"), action()]);
  const text = readFileSync(await download.path(), "utf8");
  return { name: download.suggestedFilename(), lines: text.replace("\uFEFF", "").trimEnd().split("\r\n") };
}

/** The texts of one column of the page's table, from 1 on. */
export const column = (page: Tab, at: number): Promise<string[]> =>
  page.locator(`main table tbody tr > :nth-child(${String(at)})`).allTextContents();

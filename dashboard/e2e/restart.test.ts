/**
 * The page while its service is killed and started again, and thousands of orders a second arrive: only against a real
 * service, which `tests/page` restarts once the file `ready` is in the folder HANDSHAKE.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Page as Tab } from "playwright-core";
import { expect, it } from "vitest";
import { visits } from "./visit";

const { open } = visits();
const { HANDSHAKE: folder = "", TAKINGS_URL: url = "" } = process.env;

const epochOn = (page: Tab) => page.getAttribute("[data-epoch]", "data-epoch").then(Number);
const further = (page: Tab, epoch: number, by: number) =>
  page.waitForFunction(
    (least) => Number(document.querySelector("[data-epoch]")?.getAttribute("data-epoch")) >= least,
    epoch + by,
    { timeout: 120_000 },
  );

it.runIf(folder !== "")("goes on where it was, and shows its numbers throughout", { timeout: 300_000 }, async () => {
  const pages = await Promise.all(
    [
      { locale: "en-GB", colorScheme: "light" as const, viewport: { width: 1280, height: 800 } },
      { locale: "fr-FR", colorScheme: "dark" as const, viewport: { width: 390, height: 844 } },
    ].map((options) => open({ url, shows: "[data-testid=orders]", ...options })),
  );
  const asked: string[] = [];
  for (const page of pages) {
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await further(page, await epochOn(page), 20);
  }
  writeFileSync(join(folder, "ready"), "");
  await Promise.all(pages.map((page) => page.waitForSelector("[data-trust=lost]", { timeout: 120_000 })));
  for (const page of pages) expect(await page.textContent("[data-testid=orders]")).toMatch(/\d/);
  await expect.poll(() => existsSync(join(folder, "restarted")), { timeout: 120_000 }).toBe(true);
  for (const page of pages) {
    await further(page, await epochOn(page), 20);
    expect(await page.getAttribute("[data-trust]", "data-trust")).not.toBe("lost");
  }
  expect(asked).not.toContain("/api/v1/summary");
});

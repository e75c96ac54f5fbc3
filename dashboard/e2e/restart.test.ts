/**
 * The page while its service is killed and started again, and orders arrive: only against a real service, which
 * `tests/page` restarts once the file `ready` is in the folder HANDSHAKE. With CALM set, so few orders arrive that the
 * service can tell what changed meanwhile, and no page may ask for a snapshot.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Page as Tab } from "playwright-core";
import { expect, it } from "vitest";
import { reached, visits } from "./visit";

const { open } = visits();
const { HANDSHAKE: folder = "", TAKINGS_URL: url = "", CALM: calm } = process.env;

/** Thousands of orders a second, a broker, a database and two pages may have to share two cores. */
const PATIENCE = { timeout: 120_000 };
const EPOCHS = 8;

const epochOn = (page: Tab) => page.getAttribute("[data-epoch]", "data-epoch").then(Number);
const further = async (page: Tab) => reached(page, (await epochOn(page)) + EPOCHS, PATIENCE.timeout);

it.runIf(folder !== "")("goes on where it was, and shows its numbers throughout", { timeout: 500_000 }, async () => {
  const pages = await Promise.all(
    [
      { locale: "en-GB", colorScheme: "light" as const, viewport: { width: 1280, height: 800 } },
      { locale: "fr-FR", colorScheme: "dark" as const, viewport: { width: 390, height: 844 } },
    ].map((options) => open({ url, shows: "[data-testid=orders]", patience: PATIENCE.timeout, ...options })),
  );
  const asked: string[] = [];
  for (const page of pages) page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await Promise.all(pages.map(further));
  writeFileSync(join(folder, "ready"), "");
  await Promise.all(pages.map((page) => page.waitForSelector("[data-trust=lost]", PATIENCE)));
  for (const page of pages) expect(await page.textContent("[data-testid=orders]")).toMatch(/\d/);
  await expect.poll(() => existsSync(join(folder, "restarted")), PATIENCE).toBe(true);
  await Promise.all(pages.map(further));
  for (const page of pages) {
    expect(await page.getAttribute("[data-trust]", "data-trust")).not.toBe("lost");
  }
  if (calm !== undefined) expect(asked).not.toContain("/api/v1/summary");
});

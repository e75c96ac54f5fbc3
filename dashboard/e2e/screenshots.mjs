// @ts-check
/**
 * Takes the pictures of the page for people: `node e2e/screenshots.mjs OUT_DIR`, from TAKINGS_URL, or from made-up
 * numbers where it is not set (then `npm run build` first).
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { startMock } from "../tests/mock/server.mjs";
import { launch } from "./browser.mjs";

const out = process.argv[2];
if (!out) {
  console.error("usage: node e2e/screenshots.mjs OUT_DIR");
  process.exit(2);
}
await mkdir(out, { recursive: true });

const mock = process.env["TAKINGS_URL"] ? null : await startMock({ days: 400, perDay: 60, tickMs: 900 });
const base = process.env["TAKINGS_URL"] ?? mock?.url ?? "";

/** @typedef {{ name: string, locale: string, scheme: "light" | "dark", width: number, height: number, query?: string, shows?: string }} Picture */
/** @type {Picture[]} */
const PICTURES = [
  { name: "light", locale: "en-GB", scheme: "light", width: 1280, height: 800 },
  { name: "dark", locale: "en-GB", scheme: "dark", width: 1280, height: 800 },
  { name: "french", locale: "fr-FR", scheme: "light", width: 1280, height: 800, query: "?currency=FCFA&period=90" },
  { name: "phone", locale: "en-GB", scheme: "dark", width: 390, height: 844 },
  { name: "phone-french", locale: "fr-FR", scheme: "light", width: 390, height: 844, query: "?currency=FCFA" },
  { name: "wall", locale: "en-GB", scheme: "dark", width: 1920, height: 1080, query: "?wall" },
  { name: "wall-french", locale: "fr-FR", scheme: "dark", width: 3840, height: 2160, query: "?wall&currency=FCFA&period=90" },
  { name: "tables", locale: "en-GB", scheme: "light", width: 1280, height: 800, query: "?view=tables&table=category", shows: "tbody tr" },
  { name: "tables-french", locale: "fr-FR", scheme: "dark", width: 1280, height: 800, query: "?view=tables&table=corrections", shows: "tbody tr" },
  { name: "explain", locale: "en-GB", scheme: "light", width: 1280, height: 800, query: "?view=explain", shows: "tbody tr" },
];

const browser = await launch();
for (const { name, locale, scheme, width, height, query = "", shows = "[data-number]" } of PICTURES) {
  const context = await browser.newContext({
    locale,
    colorScheme: scheme,
    viewport: { width, height },
    // A wall has its own pixels.
    deviceScaleFactor: width > 1_280 ? 1 : 2,
  });
  const page = await context.newPage();
  await page.goto(`${base}/${query}`);
  await page.waitForSelector(shows);
  // A view that is loaded when it is asked for shows its shape first.
  await page.waitForFunction(() => !document.querySelector("[data-waiting]"));
  await page.evaluate(() => document.fonts.ready);
  await page.waitForSelector("[data-trust=live], [data-trust=idle], [data-trust=behind]");
  await page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
  await page.screenshot({ path: join(out, `${name}.png`) });
  await page.screenshot({ path: join(out, `${name}-whole.png`), fullPage: true });
  await context.close();
  console.log(`${name}: ${width} × ${height}, ${locale}, ${scheme}`);
}
await browser.close();
await mock?.stop();

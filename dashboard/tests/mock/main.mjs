// @ts-check
/** `npm run mock`: the built page with live traffic, to look at. PORT, DAYS, PER_DAY and TICK_MS are read. */
import process from "node:process";
import { startMock } from "./server.mjs";

/** @param {string} name @param {number} fallback */
const setting = (name, fallback) => Number(process.env[name] ?? fallback);

const mock = await startMock({
  port: setting("PORT", 8080),
  days: setting("DAYS", 400),
  perDay: setting("PER_DAY", 60),
  tickMs: setting("TICK_MS", 1200),
});
console.log(`the page with made-up numbers: ${mock.url}`);

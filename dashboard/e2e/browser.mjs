// @ts-check
/** The system's Chromium, the same way everywhere. CHROMIUM names another one. */
import process from "node:process";
import { chromium } from "playwright-core";

export const launch = () =>
  chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--no-first-run",
    ],
  });

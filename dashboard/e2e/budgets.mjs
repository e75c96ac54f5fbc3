// @ts-check
/**
 * What the page costs, measured in Chromium against the service at TAKINGS_URL, where orders should be arriving at the
 * rate in question (`takings generate --rate 5000`), or against a large shop in memory:
 *
 *   npm run budgets -- [MINUTES]
 *
 * It prints a table and never fails for time: machines differ, and what they do besides. MINUTES is how long the heap
 * is watched (10). The mean latency of an order is the commit's (`/metrics`) and what is measured here: from the moment
 * that the epoch was committed, by the server's clock, to the frame after its numbers were drawn.
 */
import process from "node:process";
import { startMock } from "../tests/mock/server.mjs";
import { launch } from "./browser.mjs";

const minutes = Number(process.argv[2] ?? 10);
const LIVE_MS = 20_000;
const LOADS = 5;

const mock = process.env["TAKINGS_URL"] ? null : await startMock({ days: 400, perDay: 400, categories: 20, tickMs: 20 });
const base = (process.env["TAKINGS_URL"] ?? mock?.url ?? "").replace(/\/$/, "");
const browser = await launch();
const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
const page = await context.newPage();
const session = await context.newCDPSession(page);

/** @param {number[]} values @param {number} share */
const quantile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** From navigation to the first frame with numbers, in the page's own time. */
async function firstNumbers() {
  const times = [];
  for (let n = 0; n < LOADS; n += 1) {
    await page.goto(`${base}/`);
    await page.waitForSelector("[data-testid=orders]");
    times.push(await page.evaluate(() => Math.round(performance.getEntriesByName("first-numbers")[0]?.startTime ?? Number.NaN)));
  }
  return times;
}

await page.addInitScript(() => {
  const told = /** @type {{ frames: number[], tasks: number[] }} */ ({ frames: [], tasks: [] });
  Object.assign(window, { told });
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) told.tasks.push(duration);
  }).observe({ type: "longtask", buffered: true });
  /** @type {string | null} */
  let shown = null;
  const look = () => {
    const line = document.querySelector("[data-committed]");
    const epoch = line?.getAttribute("data-epoch") ?? null;
    if (epoch !== null && document.querySelector("[data-testid=orders]") && performance.getEntriesByName("first-numbers").length === 0) {
      performance.mark("first-numbers");
    }
    if (epoch !== shown && line) {
      shown = epoch;
      // The frame after this one is on the screen.
      requestAnimationFrame(() => told.frames.push(Date.now() - Number(line.getAttribute("data-committed"))));
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});

const loads = await firstNumbers();

// Live.
await wait(2_000);
await page.evaluate(() => {
  const { told } = /** @type {any} */ (window);
  told.frames.length = 0;
  told.tasks.length = 0;
});
await wait(LIVE_MS);
const { frames, tasks } = await page.evaluate(() => /** @type {any} */ (window).told);

/** What the wire carries, and what the rows on it would be by themselves, for a while. */
async function wire() {
  const abort = new AbortController();
  const answer = await fetch(`${base}/api/v1/events`, { signal: abort.signal });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  const decoder = new TextDecoder();
  let text = "";
  const until = Date.now() + 5_000;
  while (Date.now() < until) {
    const { value, done } = await Promise.race([reader.read(), wait(5_000).then(() => ({ value: undefined, done: true }))]);
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  abort.abort();
  let rows = 0;
  for (const line of text.split("\n").filter((each) => each.startsWith("data: ") && each.includes('"changed"'))) {
    try {
      const { changed, removed } = JSON.parse(line.slice("data: ".length));
      for (const part of [changed, removed]) for (const view of Object.values(part)) for (const row of view) rows += JSON.stringify(row).length;
    } catch {
      // Cut off where the reading stopped.
    }
  }
  return { bytes: text.length, rows };
}
const { bytes, rows } = await wire();

/** The heap in use once all that can go is gone (MB). */
async function heap() {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 1_000_000;
}
const heaps = [await heap()];
const looks = Math.max(1, Math.round(minutes * 2));
for (let n = 0; n < looks; n += 1) {
  await wait((minutes * 60_000) / looks);
  heaps.push(await heap());
}

const ms = (/** @type {number} */ value) => `${value.toFixed(0)} ms`;
console.table({
  "first numbers after navigation": { measured: `${ms(quantile(loads, 0.5))} (worst of ${LOADS}: ${ms(Math.max(...loads))})`, budget: "1000 ms" },
  "commit to pixel": { measured: `p50 ${ms(quantile(frames, 0.5))}, p99 ${ms(quantile(frames, 0.99))} of ${frames.length} epochs`, budget: "p50 60 ms, p99 250 ms, the commit included" },
  "longest task while live": { measured: ms(Math.max(0, ...tasks)), budget: "100 ms" },
  heap: { measured: `${heaps.map((each) => each.toFixed(1)).join(", ")} MB in ${minutes} min`, budget: "flat" },
  "event stream to its rows": { measured: rows > 0 ? `${(bytes / rows).toFixed(2)} (${bytes} bytes)` : "no changes came", budget: "1.5" },
});
await browser.close();
await mock?.stop();

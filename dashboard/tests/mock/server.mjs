// @ts-check
/**
 * The service's HTTP contract over a shop in memory, for tests of the page alone. It serves the built page
 * under a strict content security policy, so what the policy forbids fails here.
 */
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { LISTS, listPage, Refusal } from "./lists.mjs";
import { Door } from "./session.mjs";
import { Shop, VIEWS } from "./shop.mjs";
import { Traffic } from "./traffic.mjs";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const HEARTBEAT_MS = 15_000;
/** The run that committed everything: a part of the ids of events. */
const RUN = "0ddba11";
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** @param {URL} url @param {number} limit */
const pageOf = ({ searchParams }, limit) => ({
  from: searchParams.get("from"),
  period: searchParams.get("period") ?? "",
  category: searchParams.get("category"),
  payment_method: searchParams.get("payment_method"),
  product: searchParams.get("product"),
  limit,
  cursor: searchParams.get("cursor"),
});

/** What is no view of totals. @type {Record<string, (shop: Shop, url: URL, limit: number) => object>} */
const ANSWERS = {
  summary: (shop) => shop.summary(),
  freshness: (shop) => shop.freshness(),
  audit: (shop, _, limit) => ({ epoch: shop.epoch, proofs: shop.proofs(), rows: shop.proofRows(limit), next_cursor: null }),
  ratings_per_product: (shop, _, limit) => shop.ratingsPage(limit),
  products: (shop, url) => shop.listingsPage(url.searchParams.getAll("product")),
};

/** @param {string} view */
const viewOff = (view) => new Refusal(404, "view_off", `the view ${view} is switched off`, "switch it on where the job runs");

/** @param {import("node:http").ServerResponse} answer @param {Refusal} refusal */
function refuse(answer, { status, body }) {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify(body));
}

/**
 * @param {{ port?: number, days?: number, perDay?: number, categories?: number, lastDay?: string, tickMs?: number }} [options]
 *   `tickMs`: milliseconds between live commits, 0 for none
 */
export async function startMock({
  port = 0,
  days = 120,
  perDay = 60,
  categories = 20,
  lastDay = new Date().toISOString().slice(0, 10),
  tickMs = 0,
} = {}) {
  const shop = new Shop();
  const traffic = new Traffic({ seed: 7, lastDay, categories });
  if (days > 0) traffic.fill(shop, { days, perDay });

  /** @type {Set<{ answer: import("node:http").ServerResponse, epoch: number, products: string[] }>} */
  const readers = new Set();
  const door = new Door();
  const server = createServer((request, answer) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.pathname === "/api/v1/session") void door.answer(request, answer);
    else if (url.pathname.startsWith("/api/v1/") && !door.isOpen(request)) door.refuse(answer);
    else if (url.pathname === "/api/v1/events") events(url, request, answer);
    else if (url.pathname.startsWith("/api/v1/")) api(url, answer);
    else void asset(url.pathname, answer);
  });

  /** @param {import("node:http").ServerResponse} answer @param {string} name @param {{ epoch: number }} data */
  const send = (answer, name, data) =>
    answer.write(`event: ${name}\nid: ${data.epoch}-${RUN}\ndata: ${JSON.stringify(data)}\n\n`);

  /** @param {URL} url @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} answer */
  function events(url, request, answer) {
    const products = url.searchParams.getAll("product");
    const refusal = productsRefused(products);
    if (refusal) {
      refuse(answer, refusal);
      return;
    }
    answer.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    answer.write("retry: 1000\n\n");
    const last = request.headers["last-event-id"] ?? url.searchParams.get("last_event_id");
    const reader = { answer, epoch: shop.epoch, products };
    if (last === null || last === undefined) {
      send(answer, "hello", shop.place());
    } else {
      const [epoch, run] = String(last).split("-");
      const changes = run === undefined || run === RUN ? shop.changesSince(Number(epoch), products) : null;
      if (changes === null) send(answer, "reset", shop.place());
      else if (changes.epoch > Number(epoch)) send(answer, "changes", changes);
    }
    readers.add(reader);
    request.on("close", () => readers.delete(reader));
  }

  /** @param {URL} url @param {import("node:http").ServerResponse} answer */
  function api(url, answer) {
    const name = url.pathname.slice("/api/v1/".length);
    const view = VIEWS.find((known) => known === name);
    const limit = Number(url.searchParams.get("limit") ?? 1000);
    const summed = name === "product_totals" ? "sales_per_product" : name;
    const body = shop.off.has(summed) ? viewOff(summed) : view ? shop.page(view, pageOf(url, limit)) : answerOf(name, url, limit);
    if (body instanceof Refusal) refuse(answer, body);
    else if (body) {
      answer.writeHead(200, { "content-type": "application/json", etag: `"${shop.epoch}-${RUN}"` });
      answer.end(JSON.stringify(body));
    } else {
      answer.writeHead(404, { "content-type": "application/json" });
      answer.end(JSON.stringify({ error: { code: "unknown_view", message: `no view ${name}` } }));
    }
  }

  /** A service refuses a stream of products whose view is off. @param {string[]} products */
  function productsRefused(products) {
    if (products.includes("")) return new Refusal(400, "invalid_parameter", "`product` is empty", "leave it out");
    return products.length > 0 && shop.off.has("sales_per_product") ? viewOff("sales_per_product") : null;
  }

  /** @param {string} name @param {URL} url @param {number} limit @returns {object | null} */
  function answerOf(name, url, limit) {
    try {
      return name in LISTS ? listPage(shop, name, url.searchParams) : (ANSWERS[name]?.(shop, url, limit) ?? null);
    } catch (fault) {
      if (fault instanceof Refusal) return fault;
      throw fault;
    }
  }

  /** @param {string} path @param {import("node:http").ServerResponse} answer */
  async function asset(path, answer) {
    const file = join(DIST, normalize(path === "/" ? "/index.html" : path));
    try {
      const bytes = await readFile(file);
      answer.writeHead(200, {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
        "content-security-policy": POLICY,
      });
      answer.end(bytes);
    } catch {
      answer.writeHead(404).end();
    }
  }

  /** Sends each reader what it has not seen. */
  function publish() {
    for (const reader of readers) {
      const changes = shop.changesSince(reader.epoch, reader.products);
      if (!changes || changes.epoch === reader.epoch) continue;
      reader.epoch = changes.epoch;
      send(reader.answer, "changes", changes);
    }
  }

  const heartbeat = setInterval(() => {
    for (const { answer } of readers) answer.write("event: heartbeat\ndata: {}\n\n");
  }, HEARTBEAT_MS);
  const ticks =
    tickMs > 0
      ? setInterval(() => {
          traffic.tick(shop);
          publish();
        }, tickMs)
      : undefined;

  await new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      resolve(undefined);
    });
  });
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    shop,
    traffic,
    door,
    publish,
    stop: () => {
      clearInterval(heartbeat);
      clearInterval(ticks);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

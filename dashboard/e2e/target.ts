/**
 * What the tests run against: the service at TAKINGS_URL, with orders arriving (`takings generate --rate 20` will
 * do), or, without TAKINGS_URL, the contract over a shop in memory.
 */
import process from "node:process";
import { startMock } from "../tests/mock/server.mjs";
import type { Changes, Summary } from "../src/api/types";

type Mock = Awaited<ReturnType<typeof startMock>>;

export interface Target {
  readonly url: string;
  /** Null when a real service is tested. */
  readonly mock: Mock | null;
  /** Makes an order arrive, or trusts that one will. */
  readonly order: () => void;
  readonly stop: () => Promise<void>;
}

// Its name is not BASE_URL: that one is Vite's own in a test, whatever the environment says.
const url = process.env.TAKINGS_URL?.replace(/\/$/, "");
// Whoever started the tests checks whom they looked at.
if (url) console.log(`against ${url}`);

export async function startTarget(): Promise<Target> {
  if (url) return { url, mock: null, order: () => undefined, stop: () => Promise.resolve() };
  const mock = await startMock({ days: 120, perDay: 30 });
  return {
    url: mock.url,
    mock,
    order: () => {
      mock.traffic.tick(mock.shop);
      mock.publish();
    },
    stop: async () => {
      await mock.stop();
    },
  };
}

export async function summaryOf(url: string): Promise<Summary> {
  const answer = await fetch(`${url}/api/v1/summary`);
  if (!answer.ok) throw new Error(`summary: HTTP ${answer.status}`);
  return (await answer.json()) as Summary;
}

export interface WireEvent {
  readonly name: string;
  readonly id: number;
  readonly data: Changes;
  readonly bytes: number;
}

/** Reads the raw event stream, as it is on the wire, until `enough` events named `changes` have come. */
export async function readEvents(
  url: string,
  enough: number,
  meanwhile: () => void,
  lastEventId?: number,
): Promise<WireEvent[]> {
  const abort = new AbortController();
  const answer = await fetch(`${url}/api/v1/events`, {
    signal: abort.signal,
    headers: lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) },
  });
  if (!answer.ok || !answer.body) throw new Error(`events: HTTP ${answer.status}`);
  const events: WireEvent[] = [];
  let text = "";
  const decoder = new TextDecoder();
  meanwhile();
  const reader = answer.body.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parse(block);
      if (event) events.push(event);
    }
    if (events.filter(({ name }) => name === "changes").length >= enough) break;
  }
  abort.abort();
  return events;
}

function parse(block: string): WireEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
  }
  const name = fields.get("event");
  const data = fields.get("data");
  if (name === undefined || data === undefined || name === "heartbeat") return null;
  return { name, id: Number(fields.get("id")?.split("-")[0]), data: JSON.parse(data) as Changes, bytes: data.length };
}

/**
 * The event stream: a thin layer over EventSource that also comes back where EventSource gives up (an answer
 * that is no stream, such as a proxy's 502) and where it can not notice (a connection that died in silence).
 */
import type { Changes, Contact, Hello, Reset } from "../api/types";

export interface StreamHandlers {
  opened(): void;
  lost(): void;
  hello(hello: Hello): void;
  changes(changes: Changes): void;
  reset(reset: Reset): void;
  /** Whether the service reaches its store. */
  contact(contact: Contact): void;
}

interface Events {
  hello: Hello;
  changes: Changes;
  reset: Reset;
}

export interface Stream {
  close(): void;
}

/** Opens the stream; `lastEventId` is the epoch to resume from, or null for a fresh start. */
export type OpenStream = (handlers: StreamHandlers) => Stream;

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
/** Two and a half of the service's heartbeats. */
const SILENCE_MS = 40_000;

export function openEventStream(
  urlOf: (lastEventId: number | null) => string,
  handlers: StreamHandlers,
): Stream {
  let source: EventSource | null = null;
  let lastEventId: number | null = null;
  let retryMs = FIRST_RETRY_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let beats = false;

  const reopen = () => {
    clearTimeout(retry);
    clearTimeout(silence);
    source?.close();
    connect();
  };
  const heard = () => {
    clearTimeout(silence);
    // Armed only for a service that sends heartbeats as events: comments never reach this code.
    if (beats) {
      silence = setTimeout(() => {
        handlers.lost();
        reopen();
      }, SILENCE_MS);
    }
  };
  const on = <Name extends keyof Events>(
    target: EventSource,
    name: Name,
    take: (data: Events[Name]) => void,
  ) => {
    target.addEventListener(name, (event: MessageEvent<string>) => {
      heard();
      const data = JSON.parse(event.data) as Events[Name];
      lastEventId = data.epoch;
      take(data);
    });
  };

  function connect(): void {
    const opened = new EventSource(urlOf(lastEventId));
    source = opened;
    opened.onopen = () => {
      retryMs = FIRST_RETRY_MS;
      heard();
      handlers.opened();
    };
    opened.onerror = () => {
      clearTimeout(silence);
      handlers.lost();
      // CONNECTING: EventSource itself retries, with Last-Event-ID.
      if (opened.readyState !== EventSource.CLOSED) return;
      clearTimeout(retry);
      retry = setTimeout(reopen, retryMs);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    };
    on(opened, "hello", (hello) => { handlers.hello(hello); });
    on(opened, "changes", (changes) => { handlers.changes(changes); });
    on(opened, "reset", (reset) => { handlers.reset(reset); });
    opened.addEventListener("contact", (event: MessageEvent<string>) => {
      heard();
      handlers.contact(JSON.parse(event.data) as Contact);
    });
    opened.addEventListener("heartbeat", () => {
      beats = true;
      heard();
    });
  }

  // Back from sleep or from another network: do not sit out a long retry.
  const wake = () => {
    if (source?.readyState === EventSource.CLOSED && document.visibilityState === "visible") reopen();
  };
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);

  connect();
  return {
    close: () => {
      clearTimeout(retry);
      clearTimeout(silence);
      window.removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
      source?.close();
    },
  };
}

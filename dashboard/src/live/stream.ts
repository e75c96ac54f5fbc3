/**
 * The event stream: a thin layer over EventSource that also comes back where EventSource gives up (an answer
 * that is no stream, such as a proxy's 502) and where it can not notice (a connection that died in silence).
 *
 * A page that nobody has looked at for a while gives its connection back, and resumes once someone does. A browser has
 * six connections to one host for all of its tabs: a sixth tab would otherwise wait for its numbers for ever.
 */
import type { Changes, Contact, Hello, Reset } from "../api/types";

export interface StreamHandlers {
  opened(): void;
  lost(): void;
  /** The answer was no stream, after `lost`. It does not say why. */
  refused(): void;
  /** Nobody looks: nothing is told until `opened`. */
  rested(): void;
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
  /** From now on the rows of these products are told as well, and of no others: the stream resumes with them. */
  follow(products: readonly string[]): void;
}

/** Opens the stream from where the service stands. */
export type OpenStream = (handlers: StreamHandlers, products: readonly string[]) => Stream;

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
/** Two and a half of the service's heartbeats. */
const SILENCE_MS = 40_000;
/** How long a page is hidden before it rests: who only looks elsewhere for a moment loses nothing. */
const HIDDEN_MS = 30_000;

export function openEventStream(
  urlOf: (lastEventId: string | null, products: readonly string[]) => string,
  handlers: StreamHandlers,
  first: readonly string[],
): Stream {
  let source: EventSource | null = null;
  let lastEventId: string | null = null;
  let retryMs = FIRST_RETRY_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let hidden: ReturnType<typeof setTimeout> | undefined;
  let beats = false;
  let heardAt = Date.now();
  let products = first;

  const close = () => {
    clearTimeout(retry);
    clearTimeout(silence);
    source?.close();
    source = null;
  };
  const reopen = () => {
    close();
    connect();
  };
  const giveUp = () => {
    handlers.lost();
    reopen();
  };
  const heard = () => {
    clearTimeout(silence);
    heardAt = Date.now();
    // Armed only for a service that sends heartbeats as events: comments never reach this code.
    if (beats) silence = setTimeout(giveUp, SILENCE_MS);
  };
  const on = <Name extends keyof Events>(
    target: EventSource,
    name: Name,
    take: (data: Events[Name]) => void,
  ) => {
    target.addEventListener(name, (event: MessageEvent<string>) => {
      heard();
      // It names the store's history as well: an epoch alone may be another's.
      lastEventId = event.lastEventId;
      take(JSON.parse(event.data) as Events[Name]);
    });
  };

  function connect(): void {
    const opened = new EventSource(urlOf(lastEventId, products));
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
      handlers.refused();
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

  const rest = () => {
    close();
    handlers.rested();
  };
  // Back from sleep or from another network: do not sit out a long retry.
  const wake = () => {
    clearTimeout(hidden);
    if (document.visibilityState !== "visible") {
      if (source) hidden = setTimeout(rest, HIDDEN_MS);
      return;
    }
    if (source === null || source.readyState === EventSource.CLOSED) reopen();
    // Timers sleep as well: the clock alone knows for how long nothing was heard.
    else if (beats && Date.now() - heardAt > SILENCE_MS) giveUp();
  };
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  document.addEventListener("resume", wake);

  connect();
  // A tab may be opened behind another.
  wake();
  return {
    follow: (wanted) => {
      if (wanted.join("\n") === products.join("\n")) return;
      products = [...wanted];
      if (source) reopen();
    },
    close: () => {
      close();
      clearTimeout(hidden);
      window.removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
      document.removeEventListener("resume", wake);
    },
  };
}

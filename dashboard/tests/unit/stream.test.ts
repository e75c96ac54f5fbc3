// @vitest-environment happy-dom
/** The layer over EventSource: where it must come back by itself, and from which epoch. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { eventsUrl } from "../../src/api/client";
import { openEventStream, type Stream, type StreamHandlers } from "../../src/live/stream";

class Source extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static made: Source[] = [];
  readyState = Source.CONNECTING;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    super();
    Source.made.push(this);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
  open() {
    this.readyState = Source.OPEN;
    this.onopen?.();
  }
  fail(readyState: number) {
    this.readyState = readyState;
    this.onerror?.();
  }
  send(name: string, data: { readonly epoch?: number; readonly contact?: boolean }) {
    const lastEventId = data.epoch === undefined ? "" : `${String(data.epoch)}-a0`;
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId }));
  }
}

const last = () => {
  const source = Source.made.at(-1);
  if (!source) throw new Error("no stream was opened");
  return source;
};
const handlers = () =>
  ({ opened: vi.fn(), lost: vi.fn(), refused: vi.fn(), rested: vi.fn(), hello: vi.fn(), changes: vi.fn(), reset: vi.fn(), contact: vi.fn() }) satisfies StreamHandlers;

let stream: Stream;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  Source.made = [];
});
afterEach(() => {
  stream.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const start = (listening: StreamHandlers) => {
  stream = openEventStream((id, products) => eventsUrl(id, products).slice("/api/v1".length), listening, []);
  last().open();
};

describe("the stream", () => {
  it("hands on what it hears", () => {
    const heard = handlers();
    start(heard);
    last().send("hello", { epoch: 4 });
    last().send("changes", { epoch: 5 });
    last().send("contact", { contact: false });
    expect(heard.opened).toHaveBeenCalledOnce();
    expect(heard.hello).toHaveBeenCalledWith({ epoch: 4 });
    expect(heard.changes).toHaveBeenCalledWith({ epoch: 5 });
    expect(heard.contact).toHaveBeenCalledWith({ contact: false });
  });

  it("leaves a drop to EventSource, which resumes by itself", () => {
    const heard = handlers();
    start(heard);
    last().fail(Source.CONNECTING);
    vi.advanceTimersByTime(60_000);
    expect(heard.lost).toHaveBeenCalledOnce();
    expect(heard.refused).not.toHaveBeenCalled();
    expect(Source.made).toHaveLength(1);
  });

  it("comes back with its last epoch where EventSource gave up, less and less often", () => {
    const heard = handlers();
    start(heard);
    last().send("changes", { epoch: 7 });
    last().fail(Source.CLOSED);
    vi.advanceTimersByTime(1_000);
    expect(Source.made).toHaveLength(2);
    expect(last().url).toBe("/events?last_event_id=7-a0");
    last().fail(Source.CLOSED);
    expect(heard.refused).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1_000);
    expect(Source.made).toHaveLength(2);
    vi.advanceTimersByTime(1_000);
    expect(Source.made).toHaveLength(3);
  });

  it("does not wait for a connection that has died in silence, once it knows of heartbeats", () => {
    const heard = handlers();
    start(heard);
    vi.advanceTimersByTime(120_000);
    expect(heard.lost).not.toHaveBeenCalled();
    last().dispatchEvent(new Event("heartbeat"));
    vi.advanceTimersByTime(39_000);
    last().send("changes", { epoch: 8 });
    vi.advanceTimersByTime(39_000);
    expect(heard.lost).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2_000);
    expect(heard.lost).toHaveBeenCalledOnce();
    expect(last().url).toBe("/events?last_event_id=8-a0");
  });

  it("tries at once when the network is back", () => {
    start(handlers());
    last().fail(Source.CLOSED);
    window.dispatchEvent(new Event("online"));
    expect(Source.made).toHaveLength(2);
  });

  it("tries at once after a sleep in which nothing was heard, whatever its timers say", () => {
    const heard = handlers();
    start(heard);
    last().dispatchEvent(new Event("heartbeat"));
    document.dispatchEvent(new Event("resume"));
    expect(Source.made).toHaveLength(1);
    vi.setSystemTime(Date.now() + 3_600_000);
    document.dispatchEvent(new Event("resume"));
    expect(heard.lost).toHaveBeenCalledOnce();
    expect(Source.made).toHaveLength(2);
  });

  const look = (state: DocumentVisibilityState) => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
    document.dispatchEvent(new Event("visibilitychange"));
  };

  it("gives its connection back where nobody looks for a while, and resumes where it was", () => {
    const heard = handlers();
    start(heard);
    last().send("changes", { epoch: 7 });
    look("hidden");
    vi.advanceTimersByTime(29_000);
    expect(last().readyState).toBe(Source.OPEN);
    vi.advanceTimersByTime(2_000);
    expect(last().readyState).toBe(Source.CLOSED);
    expect(heard.rested).toHaveBeenCalledOnce();
    // Neither a network that is back nor another product wakes it.
    window.dispatchEvent(new Event("online"));
    stream.follow(["c"]);
    vi.advanceTimersByTime(3_600_000);
    expect(Source.made).toHaveLength(1);
    look("visible");
    expect(Source.made).toHaveLength(2);
    expect(last().url).toBe("/events?product=c&last_event_id=7-a0");
    expect(heard.rested).toHaveBeenCalledOnce();
    expect(heard.lost).not.toHaveBeenCalled();
  });

  it("stays where someone only looks elsewhere for a moment, however often", () => {
    const heard = handlers();
    start(heard);
    for (let times = 0; times < 5; times += 1) {
      look("hidden");
      vi.advanceTimersByTime(20_000);
      look("visible");
      vi.advanceTimersByTime(20_000);
    }
    expect(heard.rested).not.toHaveBeenCalled();
    expect(Source.made).toHaveLength(1);
  });

  it("rests where it was opened behind another tab, and what was to be tried again waits", () => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    const heard = handlers();
    start(heard);
    vi.advanceTimersByTime(29_500);
    last().fail(Source.CLOSED);
    vi.advanceTimersByTime(3_600_000);
    expect(heard.rested).toHaveBeenCalledOnce();
    expect(Source.made).toHaveLength(1);
  });

  it("resumes with the products that it is to follow", () => {
    const heard = handlers();
    start(heard);
    last().send("changes", { epoch: 7 });
    const first = last();
    stream.follow(["a b", "c"]);
    expect(first.readyState).toBe(Source.CLOSED);
    expect(last().url).toBe("/events?product=a+b&product=c&last_event_id=7-a0");
    stream.follow(["a b", "c"]);
    expect(Source.made).toHaveLength(2);
    last().fail(Source.CLOSED);
    vi.advanceTimersByTime(1_000);
    expect(last().url).toBe("/events?product=a+b&product=c&last_event_id=7-a0");
    expect(heard.lost).toHaveBeenCalledOnce();
  });

  it("tries at once without the products that it was refused for", () => {
    const heard = handlers();
    heard.refused.mockImplementation(() => { stream.follow([]); });
    start(heard);
    stream.follow(["a"]);
    last().fail(Source.CLOSED);
    expect(last().url).toBe("/events");
    vi.advanceTimersByTime(60_000);
    expect(Source.made).toHaveLength(3);
  });
});

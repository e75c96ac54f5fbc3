import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CALM_MS, CalmSource, type LiveSource } from "../../src/live/calm";
import { stateBefore, type LiveState } from "../../src/live/state";

const WIDE = { category: null, payment_method: null, product: null };

/** A live state that is changed by hand. */
function source(): LiveSource & { readonly change: (part: Partial<LiveState>) => void } {
  let state = stateBefore({ period: "30", narrowing: WIDE });
  const listeners = new Set<() => void>();
  return {
    getState: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    change: (part) => {
      state = { ...state, ...part };
      for (const listener of listeners) listener();
    },
  };
}

describe("a calmer time", () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  const follow = (live: LiveSource) => {
    const calm = new CalmSource(live);
    const seen: number[] = [];
    calm.subscribe(() => { seen.push(calm.getState().epoch); });
    return { calm, seen, end: calm.follow() };
  };

  it("moves on at once after a rest, and once a second while each commit changes rows; the last one always comes", () => {
    const live = source();
    const { seen } = follow(live);
    live.change({ epoch: 1 });
    vi.advanceTimersByTime(20);
    expect(seen).toEqual([1]);
    for (let epoch = 2; epoch <= 41; epoch += 1) {
      live.change({ epoch });
      vi.advanceTimersByTime(50);
    }
    vi.advanceTimersByTime(2 * CALM_MS);
    expect(seen.length).toBeLessThanOrEqual(4);
    expect(seen.at(-1)).toBe(41);
    live.change({ epoch: 42 });
    vi.advanceTimersByTime(20);
    expect(seen.at(-1)).toBe(42);
  });

  it("holds back no word of what the numbers are of, or of how far to trust them", () => {
    const live = source();
    const { calm, seen } = follow(live);
    live.change({ epoch: 1 });
    vi.advanceTimersByTime(20);
    live.change({ epoch: 2 });
    expect(seen).toEqual([1]);
    live.change({ epoch: 3, period: "today" });
    expect([calm.getState().epoch, calm.getState().period]).toEqual([3, "today"]);
    live.change({ contact: "lost" });
    expect(calm.getState().contact).toBe("lost");
  });

  it("draws several, each in a task of its own", () => {
    const live = source();
    const all = Array.from({ length: 5 }, () => follow(live));
    live.change({ epoch: 1 });
    const moved = () => all.filter(({ seen }) => seen.length > 0).length;
    for (let task = 0; moved() < all.length; task += 1) {
      const before = moved();
      vi.advanceTimersToNextTimer();
      expect(moved() - before).toBeLessThanOrEqual(1);
      expect(task).toBeLessThan(20);
    }
  });

  it("follows no more once it is ended", () => {
    const live = source();
    const { seen, end } = follow(live);
    live.change({ epoch: 1 });
    end();
    vi.advanceTimersByTime(2 * CALM_MS);
    live.change({ epoch: 2, contact: "lost" });
    vi.advanceTimersByTime(2 * CALM_MS);
    expect(seen).toEqual([]);
  });
});

/** The turn of the day where the shop is, on a clock of the test's own. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchDay } from "../../src/live/midnight";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

it("is told at once, in the shop's zone, each day anew, and no more when it is ended", () => {
  vi.setSystemTime(new Date("2026-11-22T22:59:58Z"));
  const turned = vi.fn();
  const end = watchDay("Africa/Douala", () => Date.now(), turned);
  vi.advanceTimersByTime(1_000);
  expect(turned).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(turned).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(86_400_000);
  expect(turned).toHaveBeenCalledTimes(2);
  end();
  vi.advanceTimersByTime(86_400_000);
  expect(turned).toHaveBeenCalledTimes(2);
});

it("is told after a sleep, which timers do not count", () => {
  vi.setSystemTime(new Date("2026-11-22T12:00:00Z"));
  const turned = vi.fn();
  const end = watchDay("UTC", () => Date.now(), turned);
  vi.setSystemTime(new Date("2026-11-23T07:00:00Z"));
  vi.advanceTimersByTime(60_000);
  expect(turned).toHaveBeenCalledTimes(1);
  end();
});

it("is told by the clock that it is given, though the reader's is wrong and set right meanwhile", () => {
  vi.setSystemTime(new Date("2026-11-20T22:59:58Z"));
  let skew = 47 * 3_600_000;
  const turned = vi.fn();
  const end = watchDay("UTC", () => Date.now() + skew, turned);
  vi.setSystemTime(new Date("2026-11-22T21:59:58Z"));
  skew = 0;
  vi.advanceTimersByTime(2 * 3_600_000);
  expect(turned).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2_000);
  expect(turned).toHaveBeenCalledTimes(1);
  end();
});

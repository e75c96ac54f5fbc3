// @vitest-environment happy-dom
/** What is compared while counting stands still in the middle of a day, by the service's clock in contact. */
import { cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useCompared } from "../../src/app/compared";
import { useNarrow } from "../../src/app/narrowing";
import type { Comparison } from "../../src/live/comparison";
import type { Period } from "../../src/live/period";
import { LiveContext } from "../../src/live/react";
import { order, Service, WALL } from "./service";

const YESTERDAY = "2026-11-21";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

/** At `now`, of a shop that sold once each day until noon of `last`, when counting ended. */
async function compared(period: Period, last: string, now: string, at = `${last}T12:00:00Z`): Promise<Comparison | null> {
  vi.setSystemTime(now);
  const service = new Service({ period });
  service.wall = now.slice(0, 10);
  service.shop.timeZone = "UTC";
  service.clock = () => Date.now();
  for (let day = 5; day <= Number(last.slice(8)); day += 1) {
    const sold = `2026-11-${String(day).padStart(2, "0")}`;
    const noon = new Date(`${sold}T12:00:00Z`);
    service.shop.commit([order(sold, { day: sold })], { at: sold === last ? new Date(at) : noon, writtenAt: noon });
  }
  service.store.start();
  await service.settle();
  const wrapper = ({ children }: { children: ReactNode }) => <LiveContext value={service.store}>{children}</LiveContext>;
  return renderHook(() => useCompared(useNarrow(null).part)?.comparison ?? null, { wrapper }).result.current;
}

it("stands at the newest commit today, however late it is", async () => {
  expect(await compared("today", WALL, `${WALL}T18:00:00Z`)).toEqual({
    now: { from: WALL, to: WALL },
    before: { from: YESTERDAY, to: YESTERDAY },
    clock: "12:00",
  });
});

it("stands at the newest record, where that came out of a backlog", async () => {
  const read = `${WALL}T17:59:00Z`;
  expect((await compared("today", WALL, `${WALL}T18:00:00Z`, read))?.clock).toBe("12:00");
});

it("takes no day for over before something of a later one was counted", async () => {
  const morning = `${WALL}T07:00:00Z`;
  expect(await compared("today", YESTERDAY, morning), "today has nothing yet that could be compared").toBeNull();
  expect(await compared("yesterday", YESTERDAY, morning), "it was counted until noon").toBeNull();
  expect((await compared("7", YESTERDAY, morning))?.now).toEqual({ from: "2026-11-16", to: "2026-11-20" });
});

it("takes all days before that of the newest commit for over", async () => {
  const noon = `${WALL}T12:01:00Z`;
  expect((await compared("yesterday", WALL, noon))?.now).toEqual({ from: YESTERDAY, to: YESTERDAY });
  expect((await compared("7", WALL, noon))?.now).toEqual({ from: "2026-11-16", to: YESTERDAY });
});

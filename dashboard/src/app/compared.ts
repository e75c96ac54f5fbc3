/** What the shown period is held against, by the shop's clock as it stood when the last sales were counted. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { clockIn, comparisonOf, soldFrom, sumsOver, type Comparison } from "../live/comparison";
import { covers, dayIn, daysBetween, spanBefore } from "../live/period";
import { useLive } from "../live/react";
import type { Sum } from "../live/totals";
import { countedUntil } from "../live/trust";
import { useShown } from "./figures";
import type { Part } from "./narrowing";

const MINUTE_MS = 60_000;

interface ShopClock {
  readonly zone: string | null;
  readonly day: string;
  readonly time: string;
}

/**
 * The shop's day and clock time that the numbers stand at; null before anything was counted. Not those of now, in contact
 * either: where counting has stopped, today until now would be held against sales of yesterday that it can not have yet.
 */
function useShopClock(): ShopClock | null {
  const zone = useLive((state) => state.timeZone);
  // Another minute, not another commit, moves the clock on.
  const minute = useLive((state) => {
    const until = countedUntil(state);
    return until === null ? null : Math.floor(until / MINUTE_MS) * MINUTE_MS;
  });
  return useMemo(
    () => (minute === null ? null : { zone, day: dayIn(zone, new Date(minute)), time: clockIn(zone, minute) }),
    [zone, minute],
  );
}

export interface Compared {
  readonly comparison: Comparison;
  readonly now: ReadonlyMap<string, Sum>;
  readonly before: ReadonlyMap<string, Sum>;
}

/** The sums that are compared, by currency; null where the period before has none that could be. */
export function useCompared(part: Part | null): Compared | null {
  const { period, anchor } = useShown();
  const clock = useShopClock();
  const minutes = useLive((state) => state.minutesBefore);
  const since = useLive(({ completeFrom }) => (part ? (completeFrom.get(part.view) ?? null) : null));
  return useMemo(() => {
    if (!part || !clock) return null;
    const { zone, day, time } = clock;
    const last = spanBefore(period, anchor)?.to;
    // Minutes count all orders: they say nothing of a part of them.
    const later =
      minutes && last !== undefined && part.view === "sales_per_day"
        ? soldFrom(minutes.table, part, zone, last, time)
        : null;
    const comparison = comparisonOf(period, anchor, day, later && time);
    if (!comparison || !covers(part.from, comparison.before.from)) return null;
    if (since !== null && since > comparison.before.from) return null;
    return {
      comparison,
      now: sumsOver(part, comparison.now, null),
      before: sumsOver(part, comparison.before, comparison.clock === null ? null : later),
    };
  }, [part, period, anchor, clock, minutes, since]);
}

/** What is compared with what, in words. */
export function useAgainst(comparison: Comparison | null): string {
  const { t } = useTranslation();
  const format = useFormat();
  if (!comparison) return "";
  const { now, before, clock } = comparison;
  if (clock !== null) {
    return t("compare.clock", { clock: format.time(clock), day: format.day(now.to), before: format.day(before.to) });
  }
  const count = daysBetween(now.from, now.to);
  return t("compare.days", {
    count,
    number: format.count(count),
    days: format.range(now.from, now.to),
    before: format.range(before.from, before.to),
  });
}

/** The shop's clock, and what the shown period is held against. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { clockIn, comparisonOf, soldFrom, sumsOver, type Comparison } from "../live/comparison";
import { covers, dayIn, daysBetween, spanBefore } from "../live/period";
import { useLive } from "../live/react";
import type { Sum } from "../live/totals";
import { BEHIND_MS } from "../live/trust";
import { useNow } from "./calm";
import { useShown } from "./figures";
import type { Part } from "./narrowing";

const LOOK_MS = 15_000;

/** The shop's day and clock time that the numbers stand at: those of now, unless the numbers are older. */
export function useShopClock(): { readonly zone: string | null; readonly wall: string; readonly clock: string } {
  const now = useNow(LOOK_MS);
  const zone = useLive((state) => state.timeZone);
  const skew = useLive((state) => state.clockSkew);
  const reached = useLive(({ contact, frozen }) => contact === "open" && !frozen);
  // Another minute, not another commit, moves the clock on.
  const committed = useLive(({ committedAt }) => minuteOf(committedAt));
  const counted = useLive(({ backlog, newestRecord }) => ((backlog ?? 0) > BEHIND_MS ? minuteOf(newestRecord) : null));
  const at = counted ?? (reached ? now + skew : (committed ?? now + skew));
  return useMemo(() => ({ zone, wall: dayIn(zone, new Date(at)), clock: clockIn(zone, at) }), [zone, at]);
}

const minuteOf = (millis: number | null): number | null =>
  millis === null ? null : Math.floor(millis / 60_000) * 60_000;

export interface Compared {
  readonly comparison: Comparison;
  readonly now: ReadonlyMap<string, Sum>;
  readonly before: ReadonlyMap<string, Sum>;
}

/** The sums that are compared, by currency; null where the period before has none that could be. */
export function useCompared(part: Part | null): Compared | null {
  const { period, anchor } = useShown();
  const { zone, wall, clock } = useShopClock();
  const minutes = useLive((state) => state.minutesBefore);
  const since = useLive(({ completeFrom }) => (part ? (completeFrom.get(part.view) ?? null) : null));
  return useMemo(() => {
    if (!part) return null;
    const last = spanBefore(period, anchor)?.to;
    // Minutes count all orders: they say nothing of a part of them.
    const later =
      minutes && last !== undefined && part.view === "sales_per_day"
        ? soldFrom(minutes.table, part, zone, last, clock)
        : null;
    const comparison = comparisonOf(period, anchor, wall, later && clock);
    if (!comparison || !covers(part.from, comparison.before.from)) return null;
    if (since !== null && since > comparison.before.from) return null;
    return {
      comparison,
      now: sumsOver(part, comparison.now, null),
      before: sumsOver(part, comparison.before, comparison.clock === null ? null : later),
    };
  }, [part, period, anchor, zone, wall, clock, minutes, since]);
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

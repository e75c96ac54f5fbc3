/** The first and the last day shown. */
import { useMemo } from "react";
import type { Days } from "../../live/period";
import { perDay } from "../../live/totals";
import { useShown, useView } from "../figures";

export function useShownDays(): Days | null {
  const { span, anchor } = useShown();
  const days = useView("sales_per_day");
  return useMemo(() => {
    if (span.from !== null && span.to !== null) return { from: span.from, to: span.to };
    const shown = perDay(days.table, "", span, anchor);
    const from = shown[0]?.period;
    const to = shown.at(-1)?.period;
    return from !== undefined && to !== undefined ? { from, to } : null;
  }, [days, span, anchor]);
}

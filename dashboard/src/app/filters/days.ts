/** The first and the last day shown. */
import { useMemo } from "react";
import type { Days } from "../../live/period";
import { boundsOf } from "../../live/totals";
import { useShown, useView } from "../figures";

export function useShownDays(): Days | null {
  const { span, anchor } = useShown();
  const days = useView("sales_per_day");
  return useMemo(() => boundsOf(days.table, span, anchor), [days, span, anchor]);
}

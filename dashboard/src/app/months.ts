/** Months and years of what the address narrows to. */
import { useMemo } from "react";
import type { Holding } from "../live/holding";
import { markOf } from "../live/mark";
import { daysInside, monthsOf, type PartSum } from "../live/months";
import { useLive } from "../live/react";
import { useShown, useView } from "./figures";
import { markOfPart, useNarrow, type Column } from "./narrowing";

export interface Months {
  readonly months: readonly PartSum[];
  /** The view that they are of. */
  readonly view: string;
  readonly missing: Holding | null;
  /** What number a column of a month's, or a year's, part in the period is, for `data-number`; and all of it. */
  readonly markOfInside: (part: string, column: Column) => string | undefined;
  readonly markOfWhole: (part: string) => string;
}

/**
 * Each month's part in the period, of the rows by day; beside it the whole month, where a view has that: of all sales
 * by month, or of the part that is narrowed to, where all its days are held.
 */
export function useMonths(currency: string): Months {
  const { span } = useShown();
  const { part, missing } = useNarrow(null);
  const table = useView("sales_per_month");
  const isOff = useLive((state) => state.off.has("sales_per_month"));
  const isWide = part?.view === "sales_per_day";
  const months = useMemo(() => {
    if (!part) return [];
    return monthsOf(part, isWide && !isOff ? table.table : null, currency, span);
  }, [part, isWide, isOff, table, currency, span]);
  return {
    months,
    view: isWide && !isOff ? "sales_per_month" : (part?.view ?? "sales_per_day"),
    missing,
    markOfInside: (of, column) => markOfPart(part, column, daysInside(of, span), { currency }),
    markOfWhole: (of) => markOf("sales_per_month", "total_sales", { month: of, currency }),
  };
}

/** The part of the sales that the address narrows to, as panels sum it. */
import { useMemo } from "react";
import { CALM_MS } from "../live/calm";
import type { DayView, Dimension, Holding, Narrowing } from "../live/holding";
import { markOf, type Rows as MarkedRows } from "../live/mark";
import { useNarrowed } from "../live/narrowed";
import type { Span } from "../live/period";
import type { Entry } from "../live/table";
import type { Rows } from "../live/totals";
import { useCalm } from "./calm";
import { useShownNarrowing } from "./figures";

/** Rows by day of one view, of what is narrowed to alone. */
export interface Part extends Rows {
  readonly table: object;
  readonly by: Narrowing;
  readonly view: DayView;
  /** The first day held; null holds all. */
  readonly from: string | null;
  readonly label: (entry: Entry) => string;
}

/** What the sum of a column over the part's rows is, for `data-number`; `rows` say which of them. */
export const markOfPart = (part: Part | null, column: Column | "average", span: Span, rows: MarkedRows = {}): string | undefined =>
  part ? markOf(part.view, column, { ...span, ...part.by, ...rows }) : undefined;

export type Column = "total_sales" | "orders" | "units";

/** A new object whenever a row changed; or which view would hold it, where none that is on does. */
export type Narrow = { readonly part: Part; readonly missing: null } | { readonly part: null; readonly missing: Holding };

export function useNarrow(split: Dimension | null): Narrow {
  const narrowed = useNarrowed(split);
  const by = useShownNarrowing();
  return useMemo(() => {
    if ("missing" in narrowed) return { part: null, missing: narrowed.missing };
    const { table, keep, label } = narrowed;
    const part: Part = {
      table,
      by,
      view: table.view,
      from: table.from,
      label,
      *entries() {
        for (const entry of table.entries()) if (keep(entry)) yield entry;
      },
    };
    return { part, missing: null };
  }, [narrowed, by]);
}

/** The same, once a second at most and at once after a rest, for what is calm beside what is not; what is narrowed otherwise is passed on at once. */
export function useCalmNarrow(split: Dimension | null): Narrow {
  const narrow = useNarrow(split);
  const calm = useCalm(narrow, CALM_MS, 0);
  const same = calm.part?.table === narrow.part?.table && calm.part?.by === narrow.part?.by;
  return same && calm.part ? calm : narrow;
}

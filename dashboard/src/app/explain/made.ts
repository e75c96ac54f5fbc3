/** What made the total, as far as the page holds it: all read at one moment, and so of one epoch. */
import { useMemo } from "react";
import type { DayView } from "../../live/holding";
import { useNarrowed, type Narrowed } from "../../live/narrowed";
import type { Span } from "../../live/period";
import { useLiveStore } from "../../live/react";
import type { LabelledSum, Sum } from "../../live/totals";
import { useShown } from "../figures";
import { labelled, rowsOf, sumOf, type Row, type Source } from "../tables/rows";

/** No view tells them apart; this one would, if it were switched on. */
export interface Missing {
  readonly missing: DayView | null;
}

/** Largest first, and the view that they are read from. */
export interface Told {
  readonly view: DayView;
  readonly sums: readonly LabelledSum[];
}

export interface Made {
  readonly epoch: number;
  /** Null where no view holds what is narrowed to. */
  readonly total: Sum | null;
  /** The view that the total and the days are read from. */
  readonly view: DayView;
  /** Newest first; null with the total. */
  readonly days: readonly Row[] | null;
  readonly categories: Told | Missing;
  readonly methods: Told | Missing;
}

interface Read {
  readonly days: Narrowed;
  readonly categories: Narrowed;
  readonly methods: Narrowed;
  readonly span: Span;
  readonly currency: string;
}

export function useMade(currency: string): Made {
  const store = useLiveStore();
  const { span } = useShown();
  const days = useNarrowed(null);
  const categories = useNarrowed("category");
  const methods = useNarrowed("payment_method");
  return useMemo(
    () => make({ days, categories, methods, span, currency }, store.getState().epoch),
    [days, categories, methods, span, currency, store],
  );
}

function make({ days, categories, methods, span, currency }: Read, epoch: number): Made {
  const rows = "table" in days ? rowsOf("day", sourceOf(days), currency, span) : null;
  const labels = (part: Narrowed) =>
    "table" in part
      ? { view: part.table.view, sums: labelled(sourceOf(part), currency, span) }
      : { missing: switchable(part) };
  const view = "table" in days ? days.table.view : "sales_per_day";
  return { epoch, view, total: rows && sumOf(rows), days: rows, categories: labels(categories), methods: labels(methods) };
}

const switchable = ({ missing }: Extract<Narrowed, { missing: unknown }>): DayView | null =>
  missing.view ?? missing.switchable;

const sourceOf = ({ table, keep, label }: Extract<Narrowed, { table: unknown }>): Source => ({
  view: table.view,
  entries: () => table.entries(),
  keep,
  label,
});

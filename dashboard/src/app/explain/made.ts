/** What made the total, as far as the page holds it: all read at one moment, and so of one epoch. */
import { useMemo } from "react";
import type { DayView } from "../../live/holding";
import { useNarrowed, type Narrowed } from "../../live/narrowed";
import type { Span } from "../../live/period";
import { useLiveStore } from "../../live/react";
import type { LabelledSum, Sum } from "../../live/totals";
import { useCalm } from "../calm";
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

const PARTS = ["days", "categories", "methods"] as const;

/** Redrawn four times a second at most; other filters at once. */
export function useMade(currency: string): Made {
  const store = useLiveStore();
  const { span } = useShown();
  const days = useNarrowed(null);
  const categories = useNarrowed("category");
  const methods = useNarrowed("payment_method");
  const read: Read = useMemo(
    () => ({ days, categories, methods, span, currency }),
    [days, categories, methods, span, currency],
  );
  const calm = useCalm(read, 250);
  const now = isOfTheSame(calm, read) ? calm : read;
  return useMemo(() => make(now, store.getState().epoch), [now, store]);
}

const tableOf = (narrowed: Narrowed) => ("table" in narrowed ? narrowed.table : null);

const isOfTheSame = (a: Read, b: Read): boolean =>
  a.span === b.span &&
  a.currency === b.currency &&
  PARTS.every((part) => tableOf(a[part]) === tableOf(b[part]) && keepOf(a[part]) === keepOf(b[part]));

/** What is kept says which filters it is of, where it is one that tells. */
const keepOf = (narrowed: Narrowed): string => ("missing" in narrowed ? JSON.stringify(narrowed.missing) : "");

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

/** The rows by day of what the page narrows to. */
import { useMemo } from "react";
import { holding, narrowed, type DayView, type Dimension, type Holding } from "./holding";
import { useLive } from "./react";
import type { LiveState, TableState } from "./store";
import type { Entry, Table } from "./table";

/** The rows by day of what is narrowed to, told apart by `split`, or why there are none. */
export type Narrowed =
  | {
      readonly table: Table<DayView>;
      /** Whether a row is one of them. */
      readonly keep: (entry: Entry) => boolean;
      /** What it is told apart by. */
      readonly label: (entry: Entry) => string;
    }
  | { readonly missing: Holding };

const LABEL: Record<Dimension, (entry: Entry) => string> = {
  category: (entry) => entry.category,
  payment_method: (entry) => entry.method,
  product: (entry) => entry.product,
};

/** A table of the page's own holds all rows; a slice only those of what is narrowed to. */
const all = () => true;
const none = () => "";

/**
 * The rows by day, from the first of the shown period and of the one before on, narrowed as the page is, and told apart
 * by `split`: a new object whenever one of them changed. Where nothing is narrowed, rows by category and by payment
 * method are there from the first day of the shown period on alone, and rows by product are not held.
 */
export function useNarrowed(split: Dimension | null): Narrowed {
  const narrowing = useLive((state) => state.narrowing);
  const off = useLive((state) => state.off);
  const found = useMemo(() => holding(narrowing, split, off), [narrowing, split, off]);
  const { view } = found;
  const state = useLive((live) => tableOf(live, view));
  return useMemo(() => narrowedTo(state, found, split), [state, found, split]);
}

/** The same of one state, for what follows no change. */
export function narrowedIn(state: LiveState, split: Dimension | null): Narrowed {
  const found = holding(state.narrowing, split, state.off);
  return narrowedTo(tableOf(state, found.view), found, split);
}

function narrowedTo(state: Held, found: Holding, split: Dimension | null): Narrowed {
  const { view } = found;
  const table = state && view && tableIn(state, view);
  if (table) return { table, keep: all, label: split === null ? none : LABEL[split] };
  return { missing: view === null ? found : { view: null, switchable: null } };
}

type Held = TableState<DayView> | LiveState["slice"];

/** What holds the view's rows, as an object that is new when one of them changed. */
function tableOf({ views, slice, narrowing }: LiveState, view: DayView | null): Held {
  if (view === null) return null;
  if (narrowed(narrowing).length > 0) return slice;
  return view === "sales_per_product" || view === "sales_facts" ? null : (views?.[view] ?? null);
}

const tableIn = (held: NonNullable<Held>, view: DayView): Table<DayView> | undefined =>
  "held" in held ? held.held.tables[view] : held.table;

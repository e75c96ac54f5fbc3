/**
 * What is shown is in the page's address, so that reload, back and a shared link keep it.
 *
 * The parameters: `view` (overview, tables, explain), `table`, `period` (a preset, or `2026-11-01..2026-11-22`),
 * `currency`, `category`, `payment_method`, `product`, `wall`. What is at its default is left out.
 */
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { DEFAULT_PERIOD, periodOf, type Period } from "../live/period";
import type { Dimension, Narrowing } from "../live/holding";

const CHANGED = "takings:address";

export const VIEWS = ["overview", "tables", "explain"] as const;
export type PageView = (typeof VIEWS)[number];

export type Parameter =
  | "view"
  | "table"
  | "period"
  | "currency"
  | "sort"
  | "order"
  | "search"
  | "page"
  | "wall"
  | Dimension;

/** What goes when another view or another table is chosen: it belongs to the one table. */
const OF_A_TABLE: readonly Parameter[] = ["sort", "order", "search", "page"];

/** New values by parameter; null and what is the default go from the address. */
export type Moves = Partial<Record<Parameter, string | null>>;

const DEFAULTS: Moves = { view: "overview", table: "category", period: DEFAULT_PERIOD };

/** The address's query after these moves. */
export function moved(query: string, moves: Moves): string {
  const next = new URLSearchParams(query);
  const set = (name: Parameter, value: string | null) => {
    if (value === null || value === "" || DEFAULTS[name] === value) next.delete(name);
    else next.set(name, value);
  };
  if (moves.view !== undefined || moves.table !== undefined) for (const name of OF_A_TABLE) next.delete(name);
  for (const [name, value] of Object.entries(moves) as [Parameter, string | null][]) set(name, value);
  const text = next.toString();
  return text === "" ? "" : `?${text}`;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

const read = (name: Parameter) => new URLSearchParams(window.location.search).get(name);

/** Changes the address: `back` returns to what was before, unless it replaces (typing into a search, say). */
export function move(moves: Moves, replace = false): void {
  const { pathname, search } = window.location;
  const next = moved(search, moves);
  if (next === search) return;
  const url = `${pathname}${next}`;
  if (replace) window.history.replaceState(null, "", url);
  else window.history.pushState(null, "", url);
  window.dispatchEvent(new Event(CHANGED));
}

/** The address that a link to these moves leads to. */
export const linkTo = (moves: Moves): string =>
  `${window.location.pathname}${moved(window.location.search, moves)}`;

export function useAddress(name: Parameter): [string | null, (value: string | null) => void] {
  const value = useSyncExternalStore(subscribe, () => read(name));
  const set = useCallback((next: string | null) => { move({ [name]: next }); }, [name]);
  return [value, set];
}

/** The address that a link to these moves leads to, as it is now. */
export function useLink(moves: Moves): string {
  useSyncExternalStore(subscribe, () => window.location.search);
  return linkTo(moves);
}

export function usePageView(): PageView {
  const [text] = useAddress("view");
  return VIEWS.find((view) => view === text) ?? "overview";
}

/** A filter that names nothing is none: the service would refuse to look for it. */
const named = (value: string | null): string | null => (value === "" ? null : value);

/** The category, the payment method and the product that a query narrows to. */
export function narrowingOf(query: string): Narrowing {
  const parameters = new URLSearchParams(query);
  const of = (name: Dimension) => named(parameters.get(name));
  return { category: of("category"), payment_method: of("payment_method"), product: of("product") };
}

/** The same of the page's address. */
export function useNarrowing(): Narrowing {
  const category = named(useAddress("category")[0]);
  const payment_method = named(useAddress("payment_method")[0]);
  const product = named(useAddress("product")[0]);
  return useMemo(() => ({ category, payment_method, product }), [category, payment_method, product]);
}

export const periodInAddress = (): Period => periodOf(read("period"));

export const narrowingInAddress = (): Narrowing => narrowingOf(window.location.search);

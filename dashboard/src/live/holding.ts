/**
 * Which view holds a combination of filters. The page shows a number only where a view has exactly it; where none
 * has, it says so instead of showing something else.
 */

/** What narrows the numbers beside the period and the currency, which every view has. Null narrows nothing. */
export interface Narrowing {
  readonly category: string | null;
  readonly payment_method: string | null;
  readonly product: string | null;
}

export const WIDE: Narrowing = { category: null, payment_method: null, product: null };

/** A column that rows by day are told apart by. */
export type Dimension = keyof Narrowing;

/** Views by day and currency, with what else they tell apart: the smallest that holds a combination is read. */
const DIMENSIONS = {
  sales_per_day: [],
  sales_per_payment_method: ["payment_method"],
  sales_per_category: ["category"],
  sales_per_product: ["product"],
  sales_facts: ["category", "payment_method"],
} as const satisfies Record<string, readonly Dimension[]>;

export type DayView = keyof typeof DIMENSIONS;

const DAY_VIEWS = Object.keys(DIMENSIONS) as readonly DayView[];

export type Holding =
  | { readonly view: DayView }
  /** `switchable` would hold it, if it were on; null where no view holds it. */
  | { readonly view: null; readonly switchable: DayView | null };

/** The views that tell all of these dimensions apart, the smallest first. */
export const viewsOf = (needed: readonly Dimension[]): DayView[] =>
  DAY_VIEWS.filter((view) => needed.every((dimension) => has(view, dimension)));

export const sameNarrowing = (a: Narrowing, b: Narrowing): boolean =>
  a.category === b.category && a.payment_method === b.payment_method && a.product === b.product;

/** The dimensions that narrow. */
export const narrowed = (by: Narrowing): Dimension[] =>
  (["category", "payment_method", "product"] as const).filter((dimension) => by[dimension] !== null);

/**
 * The view that holds the totals by day, narrowed so, and told apart by `split` (null: not told apart).
 * `off` are the views that are switched off.
 */
export function holding(by: Narrowing, split: Dimension | null, off: ReadonlySet<string>): Holding {
  const needed = new Set<Dimension>(split === null ? narrowed(by) : [...narrowed(by), split]);
  const able = viewsOf([...needed]);
  const view = able.find((each) => !off.has(each));
  return view ? { view } : { view: null, switchable: able[0] ?? null };
}

const has = (view: DayView, dimension: Dimension): boolean =>
  (DIMENSIONS[view] as readonly Dimension[]).includes(dimension);

/** Which filters stand in the way of a panel: those without which a view would hold what it shows. */
import { holding, narrowed, type Dimension, type Narrowing } from "../../live/holding";

export interface Obstacles {
  readonly filters: readonly Dimension[];
  /** Whether to drop one of them is enough, or all must go. */
  readonly enough: "one" | "all";
}

const without = (by: Narrowing, dropped: readonly Dimension[]): Narrowing => ({
  category: dropped.includes("category") ? null : by.category,
  payment_method: dropped.includes("payment_method") ? null : by.payment_method,
  product: dropped.includes("product") ? null : by.product,
});

/** What a panel told apart by `split` must lose to be held; no filters where it is not they that are in the way. */
export function obstacles(by: Narrowing, split: Dimension | null, off: ReadonlySet<string>): Obstacles {
  const filters = narrowed(by).filter((dimension) => dimension !== split);
  const isHeld = (dropped: readonly Dimension[]) => holding(without(by, dropped), split, off).view !== null;
  const alone = filters.filter((dimension) => isHeld([dimension]));
  if (alone.length > 0) return { filters: alone, enough: "one" };
  return { filters: isHeld(filters) ? filters : [], enough: "all" };
}

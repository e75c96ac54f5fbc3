/** What a correction changed of an order. */
import type { Correction, OrderVersion } from "../api/types";
import { parseAmount } from "../live/amount";
import { within, type Span } from "../live/period";
import type { Narrowing } from "../live/holding";

/** What an order counts as, column by column, in the order in which they are told. */
export const COLUMNS = ["amount", "order_date", "product", "category", "payment_method", "units"] as const;
export type VersionColumn = (typeof COLUMNS)[number];

/** The columns that differ; all that matter of one that came or went: its amount alone. */
export function differing({ was, now }: Pick<Correction, "was" | "now">): VersionColumn[] {
  if (!was || !now) return ["amount"];
  const changed = COLUMNS.filter((column) =>
    column === "amount" ? was.amount !== now.amount || was.currency !== now.currency : (was[column] ?? null) !== (now[column] ?? null),
  );
  return changed.length > 0 ? changed : ["amount"];
}

/**
 * What the correction added to the total of these filters; null where its versions do not say: a category that
 * the catalogue gives may have been another one then.
 */
export function effect({ was, now }: Pick<Correction, "was" | "now">, currency: string, span: Span, by: Narrowing): bigint | null {
  const before = counts(was ?? null, currency, span, by);
  const after = counts(now ?? null, currency, span, by);
  return before === null || after === null ? null : after - before;
}

function counts(version: OrderVersion | null, currency: string, span: Span, by: Narrowing): bigint | null {
  if (version?.currency !== currency || !within(version.order_date, span)) return 0n;
  if (by.payment_method !== null && version.payment_method !== by.payment_method) return 0n;
  if (by.product !== null && version.product !== by.product) return 0n;
  if (by.category !== null) {
    if (typeof version.category !== "string") return null;
    if (version.category !== by.category) return 0n;
  }
  return parseAmount(version.amount);
}

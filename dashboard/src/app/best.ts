/**
 * The best sellers of the shown days. The service ranks those of all time, of the newest day and of its month, and the
 * stream brings them; those of any other days are sums that it is asked for.
 */
import { useMemo } from "react";
import { fetchList } from "../api/client";
import { parseAmount } from "../live/amount";
import { holding, type Holding } from "../live/holding";
import { markOf } from "../live/mark";
import type { Period, Span } from "../live/period";
import { useLive } from "../live/react";
import { bestSellers, perLabel, type LabelledSum } from "../live/totals";
import { useAsked } from "./asked";
import { useCalm } from "./calm";
import { useShown, useShownNarrowing, useView } from "./figures";
import { markOfPart, useNarrow, type Column } from "./narrowing";

/** As many sums as are asked for: how many the service ranks is said where the job runs. */
const SHOWN = 10;
/** The sums are asked for again when something changed, at most so often. */
const AGAIN_MS = 5_000;

/** The ranking that is of exactly these days; null where there is none. `newest` is the day that is ranked. */
export function rankingOf(period: Period, span: Span, newest: string): string | null {
  if (period === "all") return "all";
  if (span.to !== newest) return null;
  if (span.from === newest) return newest;
  return period === "month" || span.from === `${newest.slice(0, 7)}-01` ? newest.slice(0, 7) : null;
}

export interface Best {
  readonly sums: readonly LabelledSum[];
  readonly missing: Holding | null;
  /** Why there are none that could be shown: the service was asked in vain, or has not answered yet. */
  readonly failed: boolean;
  readonly loading: boolean;
  readonly view: string;
  /** What number a product's is, for `data-number`. */
  readonly markOf: (product: string, column: Column) => string | undefined;
}

export function useBest(currency: string): Best {
  const by = useShownNarrowing();
  const { period, span } = useShown();
  const off = useLive((state) => state.off);
  const newest = useLive((state) => state.bestDay);
  const ranked = useView("top_products");
  const narrow = useNarrow("product");
  const isWide = by.category === null && by.payment_method === null && by.product === null;
  const ranking = isWide && !off.has("top_products") ? rankingOf(period, span, newest) : null;
  const held = holding(by, "product", off);
  const asks = isWide && ranking === null && held.view !== null;
  const asked = useTotals(asks, currency, span);

  const sums = useMemo(() => {
    if (ranking !== null) return bestSellers(ranked.table, currency, ranking);
    return narrow.part && !isWide ? perLabel(narrow.part, currency, span, narrow.part.label) : [];
  }, [ranking, ranked, narrow, isWide, currency, span]);
  if (ranking !== null) {
    const rank = new Map(sums.map(({ label }, at) => [label, at + 1]));
    const mark: Best["markOf"] = (product, column) => markOf("top_products", column, { period: ranking, currency, rank: rank.get(product) ?? null });
    return { sums, missing: null, failed: false, loading: false, view: "top_products", markOf: mark };
  }
  if (asks) {
    // Of another epoch than the page: what the service answered last.
    const mark: Best["markOf"] = (product, column) => markOf("product_totals", column, { ...span, currency, product });
    return { ...asked, missing: null, view: "sales_per_product", markOf: mark };
  }
  const mark: Best["markOf"] = (product, column) => markOfPart(narrow.part, column, span, { currency, product });
  return { sums, missing: isWide ? held : narrow.missing, failed: false, loading: false, view: "sales_per_product", markOf: mark };
}

function useTotals(enabled: boolean, currency: string, { from, to }: Span): Pick<Best, "sums" | "failed" | "loading"> {
  const version = useCalm(useLive((state) => state.epoch), AGAIN_MS);
  const subject = JSON.stringify([currency, from, to]);
  const { data, isError, isPending } = useAsked<readonly LabelledSum[]>(
    ["best", subject],
    version,
    async (signal) => {
      const parameters = { from, to, currency, sort: "total_sales", order: "desc" };
      const { rows } = await fetchList("product_totals", parameters, SHOWN, null, signal);
      return rows.map(({ product, total_sales, orders, units }) => ({
        label: product,
        micros: parseAmount(total_sales),
        orders,
        units,
      }));
    },
    {
      enabled,
      retry: false,
      // The old sums stay while newer ones come, but never those of another currency or of other days.
      placeholderData: (sums, query) => (query?.queryKey[1] === subject ? sums : undefined),
    },
  );
  return { sums: data ?? [], failed: isError, loading: isPending };
}

/** The filters as people read them. */
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Dimension } from "../../live/holding";
import { useNarrowing } from "../address";
import { useProductNames } from "../listings";
import { useNames } from "../names";

/** What a value of a filter is called: a category, a payment method, a product. */
export function useValueNames(): (dimension: Dimension, value: string) => string {
  const { category, method } = useNames();
  const { product } = useNarrowing();
  const listed = useProductNames(useMemo(() => (product === null ? [] : [product]), [product]));
  return useCallback(
    (dimension, value) => {
      if (dimension === "category") return category(value);
      return dimension === "payment_method" ? method(value) : listed(value);
    },
    [category, method, listed],
  );
}

/** The filter with the value it has: "Category: Books". */
export function useFilterNames(): (dimension: Dimension) => string {
  const { t } = useTranslation();
  const by = useNarrowing();
  const value = useValueNames();
  return useCallback(
    (dimension) => t("filter.with", { filter: t(`filter.${dimension}`), value: value(dimension, by[dimension] ?? "") }),
    [t, by, value],
  );
}

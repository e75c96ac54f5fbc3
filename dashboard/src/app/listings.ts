/** Products by the names of their listings. */
import { keepPreviousData } from "@tanstack/react-query";
import { useCallback } from "react";
import { fetchListings } from "../api/client";
import { useLive } from "../live/react";
import { useAsked } from "./asked";
import { useCalm } from "./calm";

/** How many names can be asked for at once. */
const MOST = 100;

/**
 * The name of each of these products, or the product itself where it is not listed. Asked for when others are
 * shown, and when a listing changed or may have; names alone, so that no number waits for them.
 */
export function useProductNames(products: readonly string[]): (product: string) => string {
  const off = useLive((state) => state.off.has("products"));
  const version = useCalm(useLive((state) => state.relisted), 5_000);
  const asked = useCalm(JSON.stringify([...new Set(products)].sort().slice(0, MOST)), 1_000);
  const { data } = useAsked(
    ["listings", asked],
    version,
    async (signal) => {
      const { rows } = await fetchListings(JSON.parse(asked) as string[], signal);
      return new Map(rows.map(({ product, name }) => [product, name]));
    },
    { enabled: !off && asked !== "[]", placeholderData: keepPreviousData },
  );
  return useCallback((product) => data?.get(product) ?? product, [data]);
}

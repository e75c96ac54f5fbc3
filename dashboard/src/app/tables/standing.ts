/** How a table is sorted, searched and turned, which is in the address. */
import type { SortingState } from "@tanstack/react-table";
import { useMemo } from "react";
import { move, useAddress } from "../address";

export const PAGE_ROWS = 50;

export interface Standing {
  readonly sorting: SortingState;
  readonly search: string;
  /** From 0 on. */
  readonly page: number;
}

/** `sortable` are the columns that may be sorted by; `usual` is how the table is sorted unless the address says. */
export function useStanding(sortable: readonly string[], usual: SortingState): Standing {
  const [sort] = useAddress("sort");
  const [order] = useAddress("order");
  const [search] = useAddress("search");
  const [page] = useAddress("page");
  return useMemo(() => {
    const number = Number(page ?? "1");
    return {
      sorting: sort !== null && sortable.includes(sort) ? [{ id: sort, desc: order !== "asc" }] : usual,
      search: search ?? "",
      page: Number.isSafeInteger(number) && number > 0 ? number - 1 : 0,
    };
  }, [sort, order, search, page, sortable, usual]);
}

/** Another order starts at the first page. */
export function sortBy(sorting: SortingState): void {
  const [first] = sorting;
  if (first) move({ sort: first.id, order: first.desc ? "desc" : "asc", page: null });
}

/** Typing is one step of the history, not one a letter. */
export function searchFor(search: string): void {
  move({ search, page: null }, true);
}

export function turnTo(page: number): void {
  move({ page: page === 0 ? null : String(page + 1) });
}

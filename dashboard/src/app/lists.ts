/**
 * Lists that the service pages, as the page shows them: one page at a time, older and newer by a stack of cursors,
 * asked for again only when the stream has told of something new.
 */
import { useState } from "react";
import { ApiError, fetchList } from "../api/client";
import type { List, ListPage, ListParameters, ListRows } from "../api/types";
import { useLive } from "../live/react";
import type { Epochs } from "./tables/follow";
import { useAsked } from "./asked";
import { useCalm } from "./calm";

/** At most this often (ms), however much arrives. */
export const LIST_REST_MS = 2_000;
/** How often a failure of the service is tried again before it is said. */
const RETRIES = 2;

/** What was on the pages before: how many rows, what they came to, and of which epochs. */
export interface Seen {
  readonly rows: number;
  readonly micros: bigint;
  readonly epochs: Epochs | null;
}

const NOTHING_SEEN: Seen = { rows: 0, micros: 0n, epochs: null };

interface Step {
  readonly cursor: string;
  readonly seen: Seen;
}

export interface Paged<L extends List> {
  readonly page: ListPage<L> | null;
  /** What was on the pages before, and with this one. */
  readonly before: Seen;
  readonly until: Seen;
  /** Whether there are rows after this page's. */
  readonly more: boolean;
  readonly busy: boolean;
  /** Why the newest rows are not there; null where they are, or may yet come. */
  readonly fault: Error | null;
  readonly again: () => void;
  readonly newer: (() => void) | null;
  readonly older: (() => void) | null;
}

/** What a page adds to what was seen before it. */
export function seenWith(before: Seen, rows: number, micros: bigint, epoch: number): Seen {
  const { first, last } = before.epochs ?? { first: epoch, last: epoch };
  return {
    rows: before.rows + rows,
    micros: before.micros + micros,
    epochs: { first: Math.min(first, epoch), last: Math.max(last, epoch) },
  };
}

/** `version` says that there is something new; `measure` is what a row adds to the sum of those seen. */
export function useList<L extends List>(
  list: L,
  parameters: ListParameters,
  version: string,
  limit: number,
  measure: (row: ListRows[L]) => bigint = () => 0n,
): Paged<L> {
  const calm = useCalm(version, LIST_REST_MS);
  // Another filter or order begins at its first page; the old rows stay until that has come, if they are of the same filters.
  const of = JSON.stringify([list, parameters]);
  const [turned, setTurned] = useState<{ of: string; steps: readonly Step[] }>({ of, steps: [] });
  const steps = turned.of === of ? turned.steps : [];
  const step = steps.at(-1) ?? null;
  const before = step?.seen ?? NOTHING_SEEN;
  const cursor = step?.cursor ?? null;
  const { data, error, refetch } = useAsked(
    ["list", list, parameters, limit, cursor],
    calm,
    (signal) => fetchList(list, parameters, limit, cursor, signal),
    // What the service has refused it refuses again.
    { retry: (times, fault) => times < RETRIES && !(fault instanceof ApiError && fault.status < 500) },
  );
  // Rows once shown stay until there are others, also where the answer is a failure. But amounts of other filters would be read
  // as what is asked for now, and summed against its total.
  const subject = subjectOf(list, parameters);
  const [kept, keep] = useState<{ page: ListPage<L>; before: Seen; subject: string } | null>(null);
  if (data !== undefined && (kept?.page !== data || kept.before !== before || kept.subject !== subject)) {
    keep({ page: data, before, subject });
  }
  const old = kept?.subject === subject ? kept : null;
  const shown = data === undefined ? old : { page: data, before };
  const sum = shown?.page.rows.reduce((all, row) => all + measure(row), 0n) ?? 0n;
  const until = shown ? seenWith(shown.before, shown.page.rows.length, sum, shown.page.epoch) : NOTHING_SEEN;
  const next = data?.next_cursor ?? null;
  return {
    page: shown?.page ?? null,
    before: shown?.before ?? NOTHING_SEEN,
    until,
    more: typeof shown?.page.next_cursor === "string",
    busy: data === undefined && error === null,
    fault: error,
    again: () => void refetch(),
    newer: steps.length > 0 ? () => { setTurned({ of, steps: steps.slice(0, -1) }); } : null,
    older: next === null ? null : () => { setTurned({ of, steps: [...steps, { cursor: next, seen: until }] }); },
  };
}

/** What is sought among the rows, and the order that they stand in: it changes none of their amounts. */
const WITHIN: ReadonlySet<string> = new Set(["search", "reason", "sort", "order"]);

/** Which rows count. */
const subjectOf = (list: List, parameters: ListParameters): string =>
  JSON.stringify([list, Object.entries(parameters).filter(([name]) => !WITHIN.has(name))]);

/** What the stream says of each list: another text whenever there is something new in it. */
export function useVersion(list: List): string {
  const { read, duplicates, corrections, cancellations, rejected } = useLive(({ counts }) => counts);
  const relisted = useLive((state) => state.relisted);
  switch (list) {
    case "corrections":
      // Which of them are in a category goes by the catalogue of now.
      return `${corrections + cancellations} ${relisted}`;
    case "rejected":
      return String(rejected);
    case "orders":
    case "product_totals":
      return `${read - duplicates - rejected} ${relisted}`;
  }
}

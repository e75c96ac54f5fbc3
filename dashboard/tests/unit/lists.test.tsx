// @vitest-environment happy-dom
/** What a list shows while the service has not answered yet: rows of what is asked for, or none. */
import { cleanup, renderHook, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { ListParameters } from "../../src/api/types";
import { useList } from "../../src/app/lists";
import { asking } from "./asking";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** A service that answers nothing until it is told to, and names in each row what was asked for. */
function service() {
  const waiting: (() => void)[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    const asked = Object.fromEntries(new URL(url, "http://service").searchParams);
    const answer = () => new Response(JSON.stringify({ epoch: 1, rows: [asked], next_cursor: null }));
    return new Promise((resolve) => waiting.push(() => { resolve(answer()); }));
  });
  return { answer: () => { for (const letGo of waiting.splice(0)) letGo(); } };
}

const OF: ListParameters = { currency: "EUR", from: "2026-11-01", to: "2026-11-22", category: null, sort: "total_sales" };

it.each([
  ["another order, as they are of the same amounts", { ...OF, sort: "units" }, 1],
  ["another search, as they are of the same amounts", { ...OF, search: "tea" }, 1],
  ["another currency, whose code would be written beside them", { ...OF, currency: "FCFA" }, 0],
  ["other days", { ...OF, from: "2026-11-02" }, 0],
  ["another category, whose total they would be held against", { ...OF, category: "Books" }, 0],
  ["another payment method, alike", { ...OF, payment_method: "CASH" }, 0],
  ["another product, alike", { ...OF, product: "tea" }, 0],
] as const)("keeps or drops its rows for %s", async (_, next, kept) => {
  const { answer } = service();
  const seen: (readonly [string | undefined, number | undefined])[] = [];
  const { result, rerender } = renderHook(
    (parameters: ListParameters) => {
      const list = useList("product_totals", parameters, "1", 50);
      seen.push([list.page?.rows[0]?.currency, list.page?.rows.length]);
      return list;
    },
    { wrapper: asking(), initialProps: OF },
  );
  await waitFor(() => { answer(); expect(result.current.page?.rows).toHaveLength(1); });
  seen.splice(0);
  rerender(next);
  expect(result.current.page?.rows.length ?? 0).toBe(kept);
  // What is summed is of these rows too: of rows of another question nothing is said.
  expect([result.current.until.rows, result.current.until.epochs !== null]).toEqual([kept, kept > 0]);
  expect(result.current.busy).toBe(true);
  await waitFor(() => { answer(); expect(result.current.busy).toBe(false); });
  // Not for a frame.
  expect(new Set(seen.map(([currency]) => currency ?? next.currency))).toEqual(new Set([next.currency]));
});

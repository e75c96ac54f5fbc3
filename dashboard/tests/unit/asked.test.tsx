// @vitest-environment happy-dom
/** A service that takes longer to answer than the shop takes to sell something. */
import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useList } from "../../src/app/lists";
import { useBest } from "../../src/app/best";
import { LiveContext } from "../../src/live/react";
import { asking, pass } from "./asking";
import { order, started } from "./service";

/** Longer than either list rests. */
const TICK_MS = 6_000;

interface Asked {
  readonly product: string | null;
  readonly signal: AbortSignal;
  readonly answer: (product: string) => Promise<void>;
}

let asked: Asked[];

beforeEach(() => {
  asked = [];
  vi.useFakeTimers();
  vi.stubGlobal("fetch", (url: string, { signal }: { signal: AbortSignal }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => { reject(new DOMException("another question", "AbortError")); });
      const rows = (product: string) => [{ product, total_sales: "1.00", orders: 1, units: 1 }];
      asked.push({
        product: new URL(url, "http://service").searchParams.get("product"),
        signal,
        answer: async (product) => {
          resolve(new Response(JSON.stringify({ epoch: 1, rows: rows(product), next_cursor: null })));
          await pass(0);
        },
      });
    }),
  );
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const provider = () => asking({ staleTime: Infinity });
const aborted = () => asked.map(({ signal }) => signal.aborted);

it("a list arrives however much is sold meanwhile, and is then asked for again, once", async () => {
  const { result, rerender } = renderHook(({ version }) => useList("product_totals", {}, version, 50), {
    wrapper: provider(),
    initialProps: { version: "1" },
  });
  for (const version of ["2", "3", "4"]) {
    rerender({ version });
    await pass(TICK_MS);
  }
  expect(aborted()).toEqual([false]);
  await asked[0]?.answer("first");
  expect(result.current.page?.rows[0]?.product).toBe("first");
  expect(aborted()).toEqual([false, false]);
  await asked[1]?.answer("second");
  await pass(TICK_MS);
  expect([result.current.page?.rows[0]?.product, asked.length]).toEqual(["second", 2]);
});

it("a list that is asked for otherwise waits for nothing", async () => {
  const { result, rerender } = renderHook(({ product }) => useList("product_totals", { product }, "1", 50), {
    wrapper: provider(),
    initialProps: { product: "tea" },
  });
  await pass(0);
  rerender({ product: "jam" });
  await pass(0);
  expect([asked.map(({ product }) => product), aborted()]).toEqual([["tea", "jam"], [true, false]]);
  await asked[1]?.answer("jam");
  expect(result.current.page?.rows[0]?.product).toBe("jam");
});

it("best sellers arrive however much is sold meanwhile", async () => {
  vi.useRealTimers();
  const service = await started([order("a")], { period: "yesterday" });
  vi.useFakeTimers();
  const Queries = provider();
  const wrapper = ({ children }: { children: ReactNode }) => <LiveContext value={service.store}><Queries>{children}</Queries></LiveContext>;
  const { result } = renderHook(() => useBest("EUR"), { wrapper });
  for (const id of ["b", "c", "d"]) {
    service.shop.commit([order(id)]);
    service.deliver();
    act(() => { service.store.flush(); });
    await pass(TICK_MS);
  }
  expect(aborted()).toEqual([false]);
  await asked[0]?.answer("tea");
  expect(result.current.sums.map(({ label }) => label)).toEqual(["tea"]);
});

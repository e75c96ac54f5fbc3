// @vitest-environment happy-dom
/** What makes a list be asked for again. */
import { cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, it } from "vitest";
import { useVersion } from "../../src/app/lists";
import { LiveContext } from "../../src/live/react";
import { order, started } from "./service";

afterEach(cleanup);

it.each([
  ["corrections", "which products are in the category that it is filtered by", true],
  ["orders", "which products are in the category that it is filtered by", true],
  ["product_totals", "the names and categories of its rows", true],
  ["rejected", "nothing of it", false],
] as const)("a listing changes of %s %s", async (list, _, anew) => {
  const service = await started([order("a", { product: "tea" })]);
  const wrapper = ({ children }: { children: ReactNode }) => <LiveContext value={service.store}>{children}</LiveContext>;
  const { result, rerender } = renderHook(() => useVersion(list), { wrapper });
  const before = result.current;
  service.shop.commit([], { listings: [{ product: "tea", name: "Tea", category: "Drinks", price: null }] });
  await service.settle();
  rerender();
  expect(result.current !== before).toBe(anew);
});

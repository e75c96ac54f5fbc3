// @vitest-environment happy-dom
/** What is said of what the page does not hold, or could not ask: nothing that would be read as a number, or as a no. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { ReactElement } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CalendarPanel } from "../../src/app/CalendarPanel";
import { ProductPicker } from "../../src/app/filters/ProductPicker";
import { WallDays } from "../../src/app/wall/WallDays";
import { startI18n } from "../../src/i18n";
import { WIDE } from "../../src/live/holding";
import { LiveContext } from "../../src/live/react";
import type { Showing } from "../../src/live/store";
import { asking } from "./asking";
import { order, Service } from "./service";

const EUR = { code: "EUR", minorUnits: 2, weight: 1 };

beforeEach(() => startI18n("en"));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function shown(element: ReactElement, showing: Partial<Showing>, off: readonly "sales_per_product"[] = []): Promise<string> {
  const service = new Service(showing);
  for (const view of off) service.shop.off.add(view);
  service.shop.commit([order("a", { day: "2026-03-05" }), order("b", { day: "2026-11-20" })]);
  service.store.start();
  await service.settle();
  const { container } = render(<LiveContext value={service.store}>{element}</LiveContext>, { wrapper: asking({ retry: false }) });
  return container.innerHTML;
}

it("draws no days on the wall where no view holds the filters", async () => {
  const narrowing = { ...WIDE, category: "Books", product: "tea" };
  expect(await shown(<WallDays currency={EUR} unit={1} />, { period: "7", narrowing })).toBe("");
});

it("counts the days with sales that it holds, and says since when", async () => {
  await shown(<CalendarPanel currency={EUR} />, { period: "7", narrowing: { ...WIDE, category: "Books" } });
  expect(screen.getByRole("img").getAttribute("aria-label")).toMatch(/^Calendar of 2026 in EUR since .*\b9\b.*: 1 day with sales\.$/);
});

it("counts the days of the whole year where it holds them", async () => {
  await shown(<CalendarPanel currency={EUR} />, { period: "7" });
  expect(screen.getByRole("img").getAttribute("aria-label")).toBe("Calendar of 2026 in EUR: 2 days with sales.");
});

const listing = (product: string) => ({ product, name: product, category: null, price: null, currency: null });

/** Opens the list of products and looks for one, of a service that answers so. */
async function sought(answer: (address: URL) => Response, off: readonly "sales_per_product"[]): Promise<void> {
  vi.stubGlobal("fetch", (url: string) => Promise.resolve(answer(new URL(url, "http://service"))));
  await shown(<ProductPicker />, {}, off);
  fireEvent.click(screen.getByRole("combobox"));
  fireEvent.change(await screen.findByPlaceholderText("Search: Product"), { target: { value: "zz" } });
}

it("says that the products could not be loaded, and searches no others in their place", async () => {
  const away = () => new Response(JSON.stringify({ error: { code: "away", message: "away", hint: null } }), { status: 503 });
  await sought(({ pathname }) => (pathname.endsWith("/products") ? new Response(JSON.stringify({ rows: [listing("tea")] })) : away()), []);
  expect(await screen.findByText("The products could not be loaded. Type to try again.")).toBeTruthy();
  expect(screen.queryByText("Nothing is called that.")).toBeNull();
});

it("searches all of the catalogue where products are not counted by day", async () => {
  await sought(({ searchParams }) => {
    const page = searchParams.has("cursor") ? { rows: [listing("zz top")], next_cursor: null } : { rows: [listing("tea")], next_cursor: "more" };
    return new Response(JSON.stringify({ epoch: 1, ...page }));
  }, ["sales_per_product"]);
  expect((await screen.findAllByText("zz top")).length).toBeGreaterThan(0);
});

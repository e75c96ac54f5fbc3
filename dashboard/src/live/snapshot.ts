/** Loads a whole ledger by REST, page by page. It is settled by the store, which has the stream beside it. */
import type { Freshness, Page, PageParameters, Ratings, Streamed, Summary, View } from "../api/types";
import { Annex, emptySlice, type Slice } from "./annex";
import { narrowed, type Narrowing } from "./holding";
import { instant, Ledger } from "./ledger";
import { firstMinute } from "./minutes";
import { addDays, dayStart, firstNeeded, spanOf } from "./period";
import { LOADED } from "./ratings";
import type { Showing } from "./state";
import { Table, type Whole } from "./table";

/** Rows a page: few enough that taking one in is no long task, so many that a year of days fits in one. */
export const PAGE_ROWS = 4_000;

/** The REST half of the service, as far as a snapshot needs it. */
export interface SnapshotReader {
  summary(signal: AbortSignal): Promise<Summary>;
  freshness(signal: AbortSignal): Promise<Freshness>;
  page<V extends View>(
    view: V,
    parameters: PageParameters,
    signal: AbortSignal,
  ): Promise<Page<V>>;
  ratings(limit: number, signal: AbortSignal): Promise<Ratings>;
  /** Whether a rejection of `page` or of `ratings` says that the view is switched off, or not filled yet. */
  isViewOff(fault: unknown): boolean;
}

export interface Snapshot {
  readonly ledger: Ledger;
  /** The server's clock minus ours (ms). */
  readonly clockSkew: number;
}

/**
 * Days and months are loaded whole (they are few: days × currencies); categories and payment methods, which
 * are many, from the first day of the period; best sellers of the newest day, of its month and of all time; the
 * most rated products; the minutes of the last hour; and a slice of what is narrowed to. With `minutes`, those of
 * the day before as well. `wall` says the day on the wall of a time zone at a moment by the service's clock, `clock`
 * our time in ms.
 */
export async function loadSnapshot(
  reader: SnapshotReader,
  { period, narrowing }: Showing,
  minutes: boolean,
  wall: (zone: string | null, at: number) => string,
  clock: () => number,
  signal: AbortSignal,
): Promise<Snapshot> {
  const told = reader.freshness(signal).then((answer) => ({ answer, at: clock() }));
  const [summary, freshness, days, months] = await Promise.all([
    reader.summary(signal),
    told,
    allPages(reader, "sales_per_day", signal),
    // It is said which views are on, long before all days are there.
    told.then(({ answer }) =>
      answer.views.some(({ view }) => view === "sales_per_month") ? unlessOff(reader, allPages(reader, "sales_per_month", signal)) : null,
    ),
  ]);
  const probe = new Ledger(null);
  probe.addFreshness(freshness.answer);
  for (const page of days) probe.addPage("sales_per_day", page);
  const clockSkew = skewOf(freshness.answer, freshness.at);
  probe.moveAnchor(wall(probe.timeZone, clock() + clockSkew));

  const { anchor } = probe;
  const { from } = spanOf(period, anchor);
  const first = firstMinute(instant(freshness.answer.newest_record_at ?? null));
  const ledger = new Ledger(from, anchor, first);
  ledger.addSummary(summary);
  ledger.addFreshness(freshness.answer);
  for (const page of days) ledger.addPage("sales_per_day", page);
  for (const page of months ?? []) ledger.addPage("sales_per_month", page);
  if (months === null) ledger.off.add("sales_per_month");
  ledger.anchor = anchor;
  const perhaps = async (view: Streamed, loading: Promise<unknown>) => {
    if ((await unlessOff(reader, loading)) === null) ledger.off.add(view);
  };
  const fill = (view: Whole, part: Part) =>
    perhaps(view, eachPage(reader, view, part, signal, (page) => { ledger.addPage(view, page); }));
  const { kept } = ledger;
  /** What the service says is off is not asked for; and it may be switched off meanwhile. */
  const unlessNamedOff = (view: Streamed, load: () => Promise<unknown>) => {
    if (kept.has(view)) return load();
    ledger.off.add(view);
    return Promise.resolve();
  };
  const nothing = () => Promise.resolve();
  const best = ["all", anchor.slice(0, 7), anchor];
  const [slice, minutesBefore] = await Promise.all([
    loadSlice(reader, narrowing, firstNeeded(period, anchor), kept, signal),
    minutes && kept.has("orders_per_minute") ? loadMinutesBefore(reader, anchor, ledger.timeZone, signal) : null,
    unlessNamedOff("sales_per_category", () => fill("sales_per_category", { from })),
    unlessNamedOff("sales_per_payment_method", () => fill("sales_per_payment_method", { from })),
    unlessNamedOff("products", nothing),
    unlessNamedOff("sales_per_product", nothing),
    unlessNamedOff("sales_facts", nothing),
    unlessNamedOff("top_products", () => Promise.all(best.map((of) => fill("top_products", { period: of })))),
    unlessNamedOff("orders_per_minute", () => fill("orders_per_minute", { from: first })),
    unlessNamedOff("ratings_per_product", () =>
      perhaps("ratings_per_product", reader.ratings(LOADED, signal).then((page) => { ledger.addRatings(page); return true; })),
    ),
  ]);
  ledger.slice = slice;
  ledger.minutesBefore = minutesBefore;
  return { ledger, clockSkew };
}

/** The rows of what is narrowed to, from the day on, of the views that are kept; null where nothing is narrowed. */
export async function loadSlice(
  reader: SnapshotReader,
  by: Narrowing,
  from: string | null,
  kept: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Slice | null> {
  if (narrowed(by).length === 0) return null;
  const slice = emptySlice(by, from, kept);
  await Promise.all(
    slice.views.map((view) =>
      eachPage(reader, view, { from, ...by }, signal, (page) => { slice.addPage(view, page); }),
    ),
  );
  return slice;
}

/** The minutes from the start of the day before `anchor` on, by the clock of the shop. */
export async function loadMinutesBefore(
  reader: SnapshotReader,
  anchor: string,
  zone: string | null,
  signal: AbortSignal,
): Promise<Annex> {
  const from = new Date(dayStart(addDays(anchor, -1), zone)).toISOString();
  const minutes = new Annex({ orders_per_minute: new Table("orders_per_minute", from) });
  await eachPage(reader, "orders_per_minute", { from }, signal, (page) => {
    minutes.addPage("orders_per_minute", page);
  });
  return minutes;
}

type Part = Omit<PageParameters, "limit" | "cursor">;

/** One page is one task of the browser: the rows of a page are taken in before the next is asked for. */
async function eachPage<V extends View>(
  reader: SnapshotReader,
  view: V,
  part: Part,
  signal: AbortSignal,
  take: (page: Page<V>) => void,
): Promise<true> {
  let cursor: string | null = null;
  do {
    const page: Page<V> = await reader.page(view, { ...part, limit: PAGE_ROWS, cursor }, signal);
    signal.throwIfAborted();
    take(page);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return true;
}

/** What comes of it, or null where the view is switched off. Without days there is no page at all. */
const unlessOff = <T>(reader: SnapshotReader, pages: Promise<T>): Promise<T | null> =>
  pages.catch((fault: unknown) => {
    if (reader.isViewOff(fault)) return null;
    throw fault;
  });

async function allPages<V extends View>(
  reader: SnapshotReader,
  view: V,
  signal: AbortSignal,
): Promise<Page<V>[]> {
  const pages: Page<V>[] = [];
  await eachPage(reader, view, {}, signal, (page) => pages.push(page));
  return pages;
}

function skewOf(freshness: Freshness, at: number): number {
  if (typeof freshness.committed_at !== "string" || typeof freshness.age_seconds !== "number") return 0;
  const server = Date.parse(freshness.committed_at) + freshness.age_seconds * 1000;
  return Number.isNaN(server) ? 0 : server - at;
}

/**
 * What the page knows: the views' rows and the counters, with the epochs they stand at.
 *
 * Invariants:
 * - A ledger is built from pages that may have been read at different epochs (`floor` to `ceiling`). It is
 *   `settled` once the changes up to `ceiling` are absorbed: from then on it is the store's state at exactly
 *   one epoch, `epoch`. Only a settled ledger is ever shown.
 * - Absorbing is idempotent, and pages and changes commute: rows are absolute, the newer epoch wins.
 */
import type {
  Changes,
  Counters,
  Freshness,
  Page,
  Ratings as RatingsPage,
  Streamed,
  Summary,
  ViewKeys,
  ViewRows,
} from "../api/types";
import type { Annex, Slice } from "./annex";
import { anchorOf, knownZone } from "./period";
import { Ratings } from "./ratings";
import { Table, VIEWS, type Whole } from "./table";

export type Tables = { readonly [V in Whole]: Table<V> };

/** What an event can change. */
export type Touched = Streamed | "slice" | "minutesBefore";

export interface CurrencyInfo {
  readonly code: string;
  /** Digits after the decimal sign that people write; null until the service has said it. */
  readonly minorUnits: number | null;
  /** Orders of all time when the ledger was loaded: the order of the cards, which must not dance. */
  readonly weight: number;
}

const NO_COUNTS: Counters = { read: 0, duplicates: 0, corrections: 0, cancellations: 0, rejected: 0 };

export class Ledger {
  readonly tables: Tables;
  counts: Counters = NO_COUNTS;
  currencies: readonly CurrencyInfo[] = [];
  /** When `epoch` was committed, by the server's clock (ms since 1970). */
  committedAt: number | null = null;
  /** Milliseconds from writing the newest record to its commit; null where that is not known. */
  backlog: number | null = null;
  /** The last day of "the last 30 days". Only moves forward while the ledger lives. */
  anchor = "";
  /** The newest timestamp of any record, by the log's clock (ms since 1970); null where the log has none. */
  newestRecord: number | null = null;
  /** The most rated products. */
  readonly ratings = new Ratings();
  /** Views that are switched off where the job runs: their tables are empty, and say nothing. */
  readonly off = new Set<Streamed>();
  /** Views that are kept, as the service says. */
  readonly kept = new Set<string>();
  /** The views that do not count all that was ever in the log, and the day since when they do. */
  readonly completeFrom = new Map<string, string>();
  /** The shop's time zone; null where the service does not know it. */
  timeZone: string | null = null;
  /** Whether the service can be asked for single orders. */
  ordersKept = false;
  /** The rows of what is narrowed to; null where nothing is. */
  slice: Slice | null = null;
  /** The minutes from the day before the anchor on, to compare today with; null until they are loaded. */
  minutesBefore: Annex | null = null;
  #bestDay: string;
  #floor = Number.POSITIVE_INFINITY;
  #ceiling = 0;
  #epoch = 0;
  #countsEpoch = 0;

  /**
   * `from`: the first day held of the views by category and by payment method; `firstMinute`: the first minute
   * held; null holds all. `bestDay`: best sellers are held of this day, of its month and of all time.
   */
  constructor(
    readonly from: string | null,
    bestDay = "",
    firstMinute: string | null = null,
  ) {
    this.#bestDay = bestDay;
    this.tables = {
      sales_per_day: new Table("sales_per_day", null),
      sales_per_category: new Table("sales_per_category", from),
      sales_per_month: new Table("sales_per_month", null),
      sales_per_payment_method: new Table("sales_per_payment_method", from),
      top_products: new Table("top_products", null, bestOf(bestDay)),
      orders_per_minute: new Table("orders_per_minute", firstMinute),
    };
  }

  get bestDay(): string {
    return this.#bestDay;
  }

  /** The oldest epoch that any part was read at. */
  get floor(): number {
    return Math.min(this.#floor, ...this.#annexes().map(({ floor }) => floor));
  }

  /** The newest epoch that any part was read at, or that was absorbed. */
  get epoch(): number {
    return Math.max(this.#epoch, this.#ceiling, ...this.#annexes().map(({ ceiling }) => ceiling));
  }

  /** True once the ledger is the store's state at one epoch: all parts agree, or the stream has reached the newest. */
  settledAt(streamEpoch: number): boolean {
    const { floor, epoch } = this;
    return floor === epoch || streamEpoch >= epoch;
  }

  addPage<V extends Whole>(view: V, page: Page<V>): void {
    this.#readAt(page.epoch);
    const table: Table<V> = this.tables[view];
    for (const row of page.rows) table.put(row);
  }

  addRatings(page: RatingsPage): void {
    this.#readAt(page.epoch);
    this.ratings.load(page.rows, page.next_cursor !== null);
  }

  addSummary(summary: Summary): void {
    this.#readAt(summary.epoch);
    this.#countsEpoch = summary.epoch;
    const { read, duplicates, corrections, cancellations, rejected } = summary;
    this.counts = { read, duplicates, corrections, cancellations, rejected };
    this.currencies = summary.currencies
      .map(({ currency, minor_units, orders }) => ({
        code: currency,
        minorUnits: minor_units,
        weight: orders,
      }))
      .sort((a, b) => b.weight - a.weight || (a.code < b.code ? -1 : 1));
  }

  addFreshness(freshness: Freshness): void {
    this.#readAt(freshness.epoch);
    this.committedAt = instant(freshness.committed_at ?? null);
    this.backlog = backlogOf(freshness);
    this.newestRecord = instant(freshness.newest_record_at ?? null);
    this.timeZone = knownZone(freshness.time_zone);
    this.ordersKept = freshness.orders_kept;
    for (const { view, complete_from } of freshness.views) {
      this.kept.add(view);
      if (typeof complete_from === "string") this.completeFrom.set(view, complete_from);
    }
  }

  /** True where the newest day is another than the one that best sellers are held of. */
  get lacksBestSellers(): boolean {
    return this.anchor !== this.bestDay && !this.off.has("top_products");
  }

  /** Moves the anchor to the newest day held, never back. `wall` is the day on the shop's wall. True if it moved. */
  moveAnchor(wall: string): boolean {
    const days = [...this.tables.sales_per_day.entries()].map((entry) => entry.period);
    const anchor = anchorOf(days, wall);
    if (this.anchor !== "" && (days.length === 0 || anchor <= this.anchor)) return false;
    this.anchor = anchor;
    return true;
  }

  /**
   * Of a day without sales there are no best sellers that could be missing, so it becomes theirs; of a month alike.
   * True if they are of another day now.
   */
  turnBestDay(): boolean {
    const month = this.anchor.slice(0, 7);
    const since = month === this.#bestDay.slice(0, 7) ? this.anchor : month;
    for (const { period } of this.tables.sales_per_day.entries()) if (period.startsWith(since)) return false;
    if (this.anchor === this.#bestDay) return false;
    this.#bestDay = this.anchor;
    this.tables.top_products.keepOnly(bestOf(this.anchor));
    return true;
  }

  /** Applies one event. Returns what it changed. Events at or below the floor do nothing. */
  absorb(changes: Changes): Set<Touched> {
    const touched = new Set<Touched>();
    if (this.slice?.absorb(changes) === true) touched.add("slice");
    if (this.minutesBefore?.absorb(changes) === true) touched.add("minutesBefore");
    if (changes.epoch <= this.#floor) return touched;
    for (const view of VIEWS) if (this.#absorbView(view, changes)) touched.add(view);
    if (this.#absorbRatings(changes)) touched.add("ratings_per_product");
    if (changes.epoch > this.#countsEpoch) {
      this.counts = { ...this.counts, ...countersOf(changes.sources) };
      this.#countsEpoch = changes.epoch;
    }
    if (changes.epoch > this.#epoch) {
      this.#epoch = changes.epoch;
      this.committedAt = instant(changes.committed_at) ?? this.committedAt;
      this.backlog = backlogOf(changes);
      this.newestRecord = instant(changes.newest_record_at) ?? this.newestRecord;
    }
    if (touched.has("sales_per_day")) this.#noticeCurrencies();
    return touched;
  }

  /** To be called when it is settled and shown: from now on only newer epochs count. */
  settle(): void {
    const { epoch } = this;
    this.#floor = epoch;
    this.#ceiling = epoch;
    for (const annex of this.#annexes()) annex.settle(epoch);
  }

  #annexes(): Annex[] {
    return [this.slice, this.minutesBefore].filter((annex) => annex !== null);
  }

  #absorbView(view: Whole, changes: Changes): boolean {
    return amend(
      this.tables[view],
      changes.removed[view] ?? [],
      changes.changed[view] ?? [],
      changes.epoch,
    );
  }

  #absorbRatings({ changed, removed, epoch }: Changes): boolean {
    let touched = false;
    for (const { product } of removed.ratings_per_product ?? []) {
      touched = this.ratings.remove(product, epoch) || touched;
    }
    for (const row of changed.ratings_per_product ?? []) touched = this.ratings.put(row) || touched;
    return touched;
  }

  /** A currency that the summary did not know yet goes last. */
  #noticeCurrencies(): void {
    const known = new Set(this.currencies.map(({ code }) => code));
    const fresh = new Set<string>();
    for (const { currency } of this.tables.sales_per_day.entries()) {
      if (!known.has(currency)) fresh.add(currency);
    }
    if (fresh.size === 0) return;
    const added = [...fresh].sort().map((code) => ({ code, minorUnits: null, weight: 0 }));
    this.currencies = [...this.currencies, ...added];
  }

  #readAt(epoch: number): void {
    this.#floor = Math.min(this.#floor, epoch);
    this.#ceiling = Math.max(this.#ceiling, epoch);
  }
}

function backlogOf(said: {
  committed_at?: string | null;
  newest_record_at?: string | null;
}): number | null {
  const committed = instant(said.committed_at ?? null);
  const written = instant(said.newest_record_at ?? null);
  return committed === null || written === null ? null : Math.max(0, committed - written);
}

/** The periods whose best sellers are held with those of a day. */
const bestOf = (day: string): ReadonlySet<string> => new Set(["all", day.slice(0, 7), day]);

/** Removals first: a key that went and came back within merged epochs is there. True if anything changed. */
function amend<V extends Whole>(
  table: Table<V>,
  removed: readonly ViewKeys[V][],
  changed: readonly ViewRows[V][],
  epoch: number,
): boolean {
  let touched = false;
  for (const key of removed) touched = table.remove(key, epoch) || touched;
  for (const row of changed) touched = table.put(row) || touched;
  return touched;
}

/** Those of the counters that are told. */
const countersOf = (sources: Changes["sources"]): Partial<Counters> =>
  Object.fromEntries(
    Object.keys(NO_COUNTS)
      .map((name) => [name, sources[name]] as const)
      .filter(([, count]) => count !== undefined),
  );

/** Milliseconds since 1970, or null where there is no time or it is not one. */
export function instant(text: string | null): number | null {
  if (text === null) return null;
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? null : millis;
}

/**
 * Tables beside the ledger's own, that are loaded apart from it: what the address narrows to, and the minutes of the
 * day that today is compared with.
 *
 * Invariants:
 * - As of a ledger: an annex is settled once the changes up to its `ceiling` are absorbed, and only a settled one is
 *   shown. It is joined to a ledger when both are at one epoch, and from then on absorbs what that absorbs.
 * - A slice is all rows of what it narrows to, from its first day on, of every view that tells them.
 */
import type { Changes, Page, ProductChanges, View } from "../api/types";
import { narrowed, viewsOf, type DayView, type Narrowing } from "./holding";
import { Table } from "./table";

type Tables = { readonly [V in View]?: Table<V> };

export class Annex {
  #floor = Number.POSITIVE_INFINITY;
  #ceiling = 0;

  constructor(readonly tables: Tables) {}

  /** The oldest and the newest epoch that any part was read at. */
  get floor(): number {
    return this.#floor;
  }

  get ceiling(): number {
    return this.#ceiling;
  }

  /** To be called when it is settled and shown: from now on only newer epochs count. */
  settle(epoch: number): void {
    this.#floor = epoch;
    this.#ceiling = epoch;
  }

  addPage<V extends View>(view: V, page: Page<V>): void {
    this.#floor = Math.min(this.#floor, page.epoch);
    this.#ceiling = Math.max(this.#ceiling, page.epoch);
    const table = this.#table(view);
    for (const row of page.rows) table?.put(row);
  }

  /** Applies one event. True if it changed a row. Absorbing twice changes nothing. */
  absorb(changes: Changes): boolean {
    if (changes.epoch <= this.#floor) return false;
    let touched = false;
    for (const view of Object.keys(this.tables) as View[]) touched = this.#amend(view, changes) || touched;
    for (const each of changes.products ?? []) touched = this.#replace(each, changes.epoch) || touched;
    return touched;
  }

  /** Removals first: a key that went and came back within merged epochs is there. */
  #amend(view: View, { changed, removed, epoch }: Changes): boolean {
    if (view === "sales_per_product") return false;
    const table = this.#table(view);
    if (!table) return false;
    let touched = false;
    for (const key of removed[view] ?? []) touched = table.remove(key, epoch) || touched;
    for (const row of changed[view] ?? []) touched = table.put(row) || touched;
    return touched;
  }

  #replace({ product, days, rows }: ProductChanges, epoch: number): boolean {
    const table = this.tables.sales_per_product;
    return table?.by.product === product && table.replace(new Set(days), rows, epoch);
  }

  #table<V extends View>(view: V): Table<V> | undefined {
    return this.tables[view];
  }
}

/** An empty slice: of each view that is kept and has what is narrowed to, from the day on. */
export function emptySlice(by: Narrowing, from: string | null, kept: ReadonlySet<string>): Slice {
  const views = viewsOf(narrowed(by)).filter((view) => kept.has(view));
  const tables = Object.fromEntries(views.map((view) => [view, new Table(view, from, null, by)]));
  return new Slice(by, from, tables);
}

/** The rows of what the address narrows to. */
export class Slice extends Annex {
  constructor(
    readonly by: Narrowing,
    readonly from: string | null,
    override readonly tables: { readonly [V in DayView]?: Table<V> },
  ) {
    super(tables);
  }

  get views(): readonly DayView[] {
    return Object.keys(this.tables) as DayView[];
  }
}

/**
 * The most rated products. Only the top of the view is loaded, so only rows at or above its last one are held:
 * of those, each that there is; the one that rises to it comes by the stream.
 */
import type { Rating } from "../api/types";

/** How many products are loaded. */
export const LOADED = 100;
/** With so many more held, those at the end are let go. */
const MOST = 4 * LOADED;

export class Ratings {
  readonly #rows = new Map<string, Rating>();
  /** Products with fewer ratings are not held. */
  #floor = 0;

  get size(): number {
    return this.#rows.size;
  }

  /** Takes the first page in; `more`: there are products that it does not hold. */
  load(rows: readonly Rating[], more: boolean): void {
    for (const row of rows) this.put(row);
    if (more) this.#floor = Math.min(...rows.map(({ ratings }) => ratings));
  }

  /** Takes the row unless a newer one is held. True if that changed anything. */
  put(row: Rating): boolean {
    const held = this.#rows.get(row.product);
    if (held && held.epoch >= row.epoch) return false;
    if (row.ratings < this.#floor) return this.#rows.delete(row.product);
    this.#rows.set(row.product, row);
    if (this.#rows.size > MOST) this.#thin();
    return true;
  }

  /** Deletes the product as of `epoch`, unless a row from after it is held. True if that changed anything. */
  remove(product: string, epoch: number): boolean {
    const held = this.#rows.get(product);
    if (!held || held.epoch > epoch) return false;
    return this.#rows.delete(product);
  }

  /** The most rated first; of those with as many ratings, the better rated, then by name. */
  top(count: number): Rating[] {
    return [...this.#rows.values()].sort(before).slice(0, count);
  }

  #thin(): void {
    this.#floor = this.top(LOADED).at(-1)?.ratings ?? 0;
    for (const [product, { ratings }] of this.#rows) if (ratings < this.#floor) this.#rows.delete(product);
  }
}

/** Averages have one digit before the point and six after it: they order as text. */
function before(a: Rating, b: Rating): number {
  if (a.ratings !== b.ratings) return b.ratings - a.ratings;
  if (a.average !== b.average) return a.average > b.average ? -1 : 1;
  return a.product < b.product ? -1 : 1;
}

/** All pages of a list, from the first to the last: each is of an epoch, and they may differ. */

/** The oldest and the newest epoch that a part was read at. */
export interface Epochs {
  readonly first: number;
  readonly last: number;
}

interface PageOf<Row> {
  readonly epoch: number;
  readonly rows: readonly Row[];
  readonly next_cursor?: string | null;
}

/**
 * Follows the cursors to the end. `take` is given each page's rows as they come; what it throws, and the signal,
 * end it. Returns which epochs the pages are of.
 */
export async function follow<Row>(
  ask: (cursor: string | null) => Promise<PageOf<Row>>,
  take: (rows: readonly Row[]) => void,
  signal: AbortSignal,
): Promise<Epochs> {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  let cursor: string | null = null;
  do {
    const page: PageOf<Row> = await ask(cursor);
    signal.throwIfAborted();
    first = Math.min(first, page.epoch);
    last = Math.max(last, page.epoch);
    take(page.rows);
    cursor = page.next_cursor ?? null;
  } while (cursor !== null);
  return { first, last };
}

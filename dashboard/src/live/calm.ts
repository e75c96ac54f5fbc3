/**
 * A calmer time: the live state as pictures and tables see it. While rows keep changing it moves on once a second, and at
 * once after a rest. Drawing all of a page for each of fifty commits a second would keep a processor from the numbers at
 * its top, which do follow each commit.
 *
 * Invariant: only rows are held back. What says of what the numbers are, or how far to trust them, passes at once, and
 * with it all rows.
 */
import type { LiveState } from "./state";

/** Where a part of the page reads the live state. */
export interface LiveSource {
  readonly getState: () => LiveState;
  readonly subscribe: (listener: () => void) => () => void;
}

/** Between one picture and the next (ms). */
export const CALM_MS = 1_000;

/** What each commit may change. */
const ROWS: ReadonlySet<string> = new Set<keyof LiveState>([
  "epoch",
  "committedAt",
  "backlog",
  "counts",
  "views",
  "slice",
  "minutesBefore",
  "ratings",
  "relisted",
  "newestRecord",
]);

export class CalmSource implements LiveSource {
  readonly #of: LiveSource;
  readonly #listeners = new Set<() => void>();
  #shown: LiveState;
  #shownAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(of: LiveSource) {
    this.#of = of;
    this.#shown = of.getState();
  }

  readonly getState = (): LiveState => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Follows, until what it returns is called. */
  follow(): () => void {
    const end = this.#of.subscribe(() => { this.#look(); });
    this.#look();
    return () => {
      end();
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #look(): void {
    const now = this.#of.getState();
    if (now === this.#shown) return;
    if (!onlyRowsDiffer(now, this.#shown)) this.#pass();
    else this.#timer ??= setTimeout(() => { inTurn(() => { this.#pass(); }); }, this.#shownAt + CALM_MS - performance.now());
  }

  #pass(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#of.getState();
    if (now === this.#shown) return;
    this.#shown = now;
    this.#shownAt = performance.now();
    for (const listener of this.#listeners) listener();
  }
}

const onlyRowsDiffer = (a: LiveState, b: LiveState): boolean =>
  (Object.keys(a) as (keyof LiveState)[]).every((part) => a[part] === b[part] || ROWS.has(part));

const waiting: (() => void)[] = [];

/** One picture after the other, each in a task of its own: together they would hold the browser. */
function inTurn(draw: () => void): void {
  waiting.push(draw);
  if (waiting.length === 1) setTimeout(next);
}

function next(): void {
  const draw = waiting.shift();
  if (waiting.length > 0) setTimeout(next);
  draw?.();
}

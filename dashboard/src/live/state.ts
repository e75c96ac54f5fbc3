/** What the live store shows: one object a moment, whose parts keep their identity while they do not change. */
import type { Counters, Streamed, View } from "../api/types";
import type { Slice } from "./annex";
import type { Narrowing } from "./holding";
import type { CurrencyInfo } from "./ledger";
import type { Period } from "./period";
import type { Ratings } from "./ratings";
import type { Table, Whole } from "./table";

/** What the page is asked to show. */
export interface Showing {
  readonly period: Period;
  readonly narrowing: Narrowing;
}

/** A view at one moment: a new object whenever a row changed, so that identity tells. */
export interface TableState<V extends View = View> {
  readonly table: Table<V>;
}

/**
 * How the page stands with the service; `away` where the service itself has lost its store, `resting` where nobody has
 * looked at the page for a while.
 */
export type Reach = "connecting" | "open" | "away" | "lost" | "resting";

export interface LiveState {
  readonly contact: Reach;
  /** How often the stream was refused since it was open. */
  readonly refused: number;
  /** Something is under way: the first snapshot, one after a reset, one for a wider period, or a slice. */
  readonly loading: boolean;
  /** True from the first settled ledger on, for ever: numbers once shown stay. */
  readonly ready: boolean;
  /** True while the shown ledger gets no changes because the stream has lost its thread. */
  readonly frozen: boolean;
  /** Why the last load failed, until one succeeds. */
  readonly problem: string | null;
  readonly epoch: number;
  /** Server time of the newest commit shown (ms), and the server's clock minus ours (ms). */
  readonly committedAt: number | null;
  readonly clockSkew: number;
  /** Milliseconds from writing the newest record to its commit; null where that is not known. */
  readonly backlog: number | null;
  readonly counts: Counters;
  readonly currencies: readonly CurrencyInfo[];
  readonly anchor: string;
  /** The period and the narrowing asked for, and those that the numbers are of. */
  readonly wanted: Period;
  readonly wantedNarrowing: Narrowing;
  readonly period: Period;
  readonly narrowing: Narrowing;
  readonly views: { readonly [V in Whole]: TableState<V> } | null;
  /** The rows of what `narrowing` narrows to: a new object whenever one changed; null where it narrows nothing. */
  readonly slice: { readonly held: Slice } | null;
  /**
   * Minutes from the day before the anchor on, where today is shown and compared with it; null until they are
   * there, and where the service keeps no minutes.
   */
  readonly minutesBefore: TableState<"orders_per_minute"> | null;
  /** The most rated products: a new object whenever one changed. */
  readonly ratings: { readonly list: Ratings } | null;
  /** Greater whenever any product's listing changed, or may have changed unseen: names are asked for again. */
  readonly relisted: number;
  /** The newest timestamp of any record, by the log's clock (ms); null where the log has none. */
  readonly newestRecord: number | null;
  /** The day whose best sellers are held, with its month's. */
  readonly bestDay: string;
  /** Views that are switched off where the job runs. */
  readonly off: ReadonlySet<Streamed>;
  /** The views that do not count all that was ever in the log, and the day since when they do. */
  readonly completeFrom: ReadonlyMap<string, string>;
  /** The shop's time zone, as IANA names it; null where the service does not know it: the reader's is taken. */
  readonly timeZone: string | null;
  /** Whether the service can be asked for single orders. */
  readonly ordersKept: boolean;
}

/** Before anything is known. */
export const stateBefore = ({ period, narrowing }: Showing): LiveState => ({
  contact: "connecting",
  refused: 0,
  loading: true,
  ready: false,
  frozen: false,
  problem: null,
  epoch: 0,
  committedAt: null,
  clockSkew: 0,
  backlog: null,
  counts: { read: 0, duplicates: 0, corrections: 0, cancellations: 0, rejected: 0 },
  currencies: [],
  anchor: "",
  wanted: period,
  wantedNarrowing: narrowing,
  period,
  narrowing,
  views: null,
  slice: null,
  minutesBefore: null,
  ratings: null,
  relisted: 0,
  newestRecord: null,
  bestDay: "",
  off: new Set(),
  completeFrom: new Map(),
  timeZone: null,
  ordersKept: false,
});

/**
 * The live store: one snapshot, then patches from the event stream. Framework-free; React reads it through
 * `useSyncExternalStore`.
 *
 * The algorithm:
 * 1. Open the stream. Its first event, `hello`, names an epoch: the stream misses nothing after it.
 * 2. Load a ledger by REST, meanwhile keeping every `changes`.
 * 3. Absorb what was kept; show the ledger when it is settled: it is then the store's state at one epoch.
 * 4. Absorb every later `changes`, at most once per frame.
 * 5. After a drop the stream resumes by its last event id. On `reset` it can not: the shown ledger is frozen
 *    (old numbers stay, no wrong ones come) and 2 starts over.
 *
 * Invariants:
 * - The shown ledger is settled, and moves only forward by changes with no gap before them.
 * - A load whose parts are older than the stream's position when it began is thrown away: the changes between
 *   were not kept.
 * - The shown period is one whose rows are all held. A wider one is shown when its ledger is there.
 */
import type { Changes, Contact, Counters, Hello, Reset, Streamed, View } from "../api/types";
import type { FrameScheduler } from "./frame";
import type { CurrencyInfo, Ledger } from "./ledger";
import { covers, spanOf, type Period } from "./period";
import type { Ratings } from "./ratings";
import type { Snapshot } from "./snapshot";
import type { OpenStream, Stream } from "./stream";
import { VIEWS, type Table } from "./table";

/** A view at one moment: a new object whenever a row changed, so that identity tells. */
export interface TableState<V extends View = View> {
  readonly table: Table<V>;
}

/** How the page stands with the service; `away` where the service itself has lost its store. */
export type Reach = "connecting" | "open" | "away" | "lost";

export interface LiveState {
  readonly contact: Reach;
  /** A snapshot is under way: the first one, one after a reset, or one for a wider period. */
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
  /** Our time of the newest change (ms); null before the first. */
  readonly changedAt: number | null;
  readonly counts: Counters;
  readonly currencies: readonly CurrencyInfo[];
  readonly anchor: string;
  /** The period asked for, and the one the numbers are of. */
  readonly wanted: Period;
  readonly period: Period;
  readonly views: { readonly [V in View]: TableState<V> } | null;
  /** The most rated products: a new object whenever one changed. */
  readonly ratings: { readonly list: Ratings } | null;
  /** The epoch in which any product's listing was last seen to change. */
  readonly listedAt: number;
  /** The newest timestamp of any record, by the log's clock (ms); null where the log has none. */
  readonly newestRecord: number | null;
  /** The day whose best sellers are held, with its month's. */
  readonly bestDay: string;
  /** Views that are switched off where the job runs. */
  readonly off: ReadonlySet<Streamed>;
  /** The views that do not count all that was ever in the log, and the day since when they do. */
  readonly completeFrom: ReadonlyMap<string, string>;
}

export interface LiveParts {
  readonly openStream: OpenStream;
  readonly loadSnapshot: (period: Period, signal: AbortSignal) => Promise<Snapshot>;
  readonly scheduler: (run: () => void) => FrameScheduler;
  readonly clock: () => number;
  /** The day on the reader's wall. */
  readonly wall: () => string;
  /** Resolves after `ms`. */
  readonly delay: (ms: number) => Promise<void>;
}

interface Load {
  readonly abort: AbortController;
  readonly period: Period;
  /** The stream's epoch when the load began. */
  readonly base: number;
  /** Every change after `base`. */
  readonly kept: Changes[];
  snapshot: Snapshot | null;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** How long a ledger may wait for the stream to reach its newest part before it is loaded anew. */
const SETTLE_MS = 10_000;

export class LiveStore {
  readonly #parts: LiveParts;
  readonly #frames: FrameScheduler;
  readonly #listeners = new Set<() => void>();
  #stream: Stream | null = null;
  #streamEpoch: number | null = null;
  #queue: Changes[] = [];
  #ledger: Ledger | null = null;
  #load: Load | null = null;
  #retryMs = FIRST_RETRY_MS;
  #state: LiveState;

  constructor(parts: LiveParts, period: Period) {
    this.#parts = parts;
    this.#frames = parts.scheduler(() => { this.flush(); });
    this.#state = {
      contact: "connecting",
      loading: true,
      ready: false,
      frozen: false,
      problem: null,
      epoch: 0,
      committedAt: null,
      clockSkew: 0,
      backlog: null,
      changedAt: null,
      counts: { read: 0, duplicates: 0, corrections: 0, cancellations: 0, rejected: 0 },
      currencies: [],
      anchor: "",
      wanted: period,
      period,
      views: null,
      ratings: null,
      listedAt: 0,
      newestRecord: null,
      bestDay: "",
      off: new Set(),
      completeFrom: new Map(),
    };
  }

  readonly getState = (): LiveState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Opens the stream. Call once; `stop` ends it for good. */
  start(): void {
    this.#stream ??= this.#parts.openStream({
      opened: () => { this.#patch({ contact: "open" }); },
      lost: () => { this.#patch({ contact: "lost" }); },
      hello: (hello) => { this.#hello(hello); },
      changes: (changes) => { this.#changes(changes); },
      reset: (reset) => { this.#restart(reset); },
      contact: ({ contact }: Contact) => { this.#patch({ contact: contact ? "open" : "away" }); },
    });
  }

  stop(): void {
    this.#stream?.close();
    this.#stream = null;
    this.#drop();
    this.#frames.cancel();
  }

  /** Asks for a period: shown at once if its rows are held, else when they are. */
  show(period: Period): void {
    this.#patch({ wanted: period });
    if (!this.#ledger || this.#state.frozen) {
      // A load under way is for another period: it would only be thrown away later.
      if (this.#streamEpoch !== null) this.#begin();
    } else if (covers(this.#ledger.from, spanOf(period, this.#ledger.anchor).from)) {
      this.#drop();
      this.#patch({ period, loading: false });
    } else {
      this.#begin();
    }
  }

  /** Takes in what the stream has brought. Called by the scheduler; tests call it too. */
  flush(): void {
    this.#frames.cancel();
    const queue = this.#queue;
    this.#queue = [];
    const touched = new Set<Streamed>();
    const ledger = this.#state.frozen ? null : this.#ledger;
    for (const changes of queue) {
      this.#load?.kept.push(changes);
      if (ledger) for (const view of ledger.absorb(changes)) touched.add(view);
    }
    if (ledger && queue.length > 0) {
      ledger.settle();
      if (touched.has("sales_per_day")) ledger.moveAnchor(this.#parts.wall());
    }
    const adopted = this.#load?.snapshot ? this.#adopt(this.#load, this.#load.snapshot) : false;
    if (!adopted && (!ledger || queue.length === 0)) return;
    if (!adopted && ledger) this.#publish(ledger, touched, {});
    // A new day has begun: its best sellers are loaded, and meanwhile those of the day before are shown.
    if (this.#load === null && this.#ledger?.lacksBestSellers === true) this.#begin();
  }

  #hello(hello: Hello): void {
    // A fresh stream while we hold a ledger: only the same epoch proves that nothing was missed.
    if (this.#streamEpoch === hello.epoch) return;
    this.#restart(hello);
  }

  #changes(changes: Changes): void {
    if (this.#streamEpoch !== null && changes.epoch <= this.#streamEpoch) return;
    if (this.#streamEpoch === null || changes.since > this.#streamEpoch) {
      // A link of the chain is missing: nothing that is held can be patched past it.
      this.#restart({ epoch: changes.epoch });
      return;
    }
    this.#streamEpoch = changes.epoch;
    this.#queue.push(changes);
    this.#frames.request();
  }

  /** The stream goes on from an epoch of its own choosing: what we hold can not be patched any more. */
  #restart({ epoch }: Pick<Reset, "epoch">): void {
    if (this.#streamEpoch !== null) this.flush();
    // A load under way misses the changes that the stream skips: nothing may settle it by the new epoch.
    this.#drop();
    this.#streamEpoch = epoch;
    if (this.#ledger) this.#patch({ frozen: true });
    this.#begin();
  }

  #drop(): void {
    this.#load?.abort.abort();
    this.#load = null;
  }

  #begin(): void {
    this.flush();
    this.#drop();
    const load: Load = {
      abort: new AbortController(),
      period: this.#state.wanted,
      base: this.#streamEpoch ?? 0,
      kept: [],
      snapshot: null,
    };
    this.#load = load;
    this.#patch({ loading: true });
    void this.#run(load);
  }

  async #run(load: Load): Promise<void> {
    const live = () => this.#load === load;
    try {
      const snapshot = await this.#parts.loadSnapshot(load.period, load.abort.signal);
      if (!live()) return;
      if (snapshot.ledger.floor < load.base) {
        await this.#again(load, null);
        return;
      }
      load.snapshot = snapshot;
      this.#retryMs = FIRST_RETRY_MS;
      // Shown in the next frame: a task apart from taking in the last page.
      this.#frames.request();
      await this.#parts.delay(SETTLE_MS);
      if (live()) this.#begin();
    } catch (fault) {
      if (live()) await this.#again(load, fault instanceof Error ? fault.message : String(fault));
    }
  }

  async #again(load: Load, problem: string | null): Promise<void> {
    if (problem !== null) this.#patch({ problem });
    const wait = this.#retryMs;
    this.#retryMs = Math.min(wait * 2, LONGEST_RETRY_MS);
    await this.#parts.delay(wait);
    if (this.#load === load) this.#begin();
  }

  /** Shows the loaded ledger if the kept changes settle it. */
  #adopt(load: Load, { ledger, clockSkew }: Snapshot): boolean {
    const { kept } = load;
    for (const changes of kept.splice(0)) ledger.absorb(changes);
    if (!ledger.settledAt(this.#streamEpoch ?? 0)) return false;
    ledger.settle();
    ledger.moveAnchor(this.#parts.wall());
    this.#load = null;
    this.#ledger = ledger;
    this.#publish(ledger, new Set<Streamed>([...VIEWS, "ratings_per_product"]), {
      ready: true,
      frozen: false,
      loading: false,
      problem: null,
      clockSkew,
      period: load.period,
      bestDay: ledger.bestDay,
      off: ledger.off,
      completeFrom: ledger.completeFrom,
    });
    return true;
  }

  #publish(ledger: Ledger, touched: ReadonlySet<Streamed>, rest: Partial<LiveState>): void {
    const { tables } = ledger;
    const before = this.#state.views;
    const state = <V extends View>(view: V): TableState<V> => {
      const table: Table<V> = tables[view];
      return before && !touched.has(view) ? before[view] : { table };
    };
    const first = before === null;
    this.#patch({
      epoch: ledger.epoch,
      committedAt: ledger.committedAt,
      backlog: ledger.backlog,
      changedAt: first ? null : this.#parts.clock(),
      counts: ledger.counts,
      currencies: ledger.currencies,
      anchor: ledger.anchor,
      views: {
        sales_per_day: state("sales_per_day"),
        sales_per_category: state("sales_per_category"),
        sales_per_month: state("sales_per_month"),
        sales_per_payment_method: state("sales_per_payment_method"),
        top_products: state("top_products"),
        orders_per_minute: state("orders_per_minute"),
      },
      ratings:
        this.#state.ratings && !touched.has("ratings_per_product")
          ? this.#state.ratings
          : { list: ledger.ratings },
      listedAt: Math.max(ledger.listedAt, this.#state.listedAt),
      newestRecord: ledger.newestRecord,
      ...rest,
    });
  }

  #patch(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

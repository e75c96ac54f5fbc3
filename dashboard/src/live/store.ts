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
 * - What is shown is held in full. A wider period is shown when its ledger is there, and another narrowing when its
 *   slice is, which alone is loaded: the ledger stays. Until then the old numbers stay, and go on.
 * - A slice is joined to the ledger at the epoch of both; so are the minutes that today is compared with.
 * - A page that nobody looks at rests: it holds what it shows, loads nothing, and goes on from the stream's last event.
 * - The stream is told the product that is shown and the one that is asked for, before either's slice is loaded; and
 *   none where rows by product are switched off: such a stream is refused for good.
 */
import type { Changes, Contact, Hello, Reset, Streamed } from "../api/types";
import type { Annex, Slice } from "./annex";
import type { FrameScheduler } from "./frame";
import { narrowed, sameNarrowing } from "./holding";
import { instant, type Ledger, type Touched } from "./ledger";
import { addDays, covers, firstNeeded, spanBefore, spanOf } from "./period";
import type { Snapshot } from "./snapshot";
import { stateBefore, type LiveState, type Showing, type TableState } from "./state";
import type { OpenStream, Stream } from "./stream";
import { VIEWS, type Table, type Whole } from "./table";

export type { LiveState, Reach, Showing, TableState } from "./state";

export interface LiveParts {
  readonly openStream: OpenStream;
  /** With `minutes`, those of the day before as well. */
  readonly loadSnapshot: (showing: Showing, minutes: boolean, signal: AbortSignal) => Promise<Snapshot>;
  /** What the showing narrows to; null where it narrows nothing. */
  readonly loadSlice: (showing: Showing, ledger: Ledger, signal: AbortSignal) => Promise<Slice | null>;
  readonly loadMinutesBefore: (ledger: Ledger, signal: AbortSignal) => Promise<Annex>;
  /** Whether the service keeps the view. */
  readonly isKept: (view: Streamed) => Promise<boolean>;
  readonly scheduler: (run: () => void) => FrameScheduler;
  readonly clock: () => number;
  /** The day on the wall of a time zone at a moment (ms); of the reader's zone, where it is null. */
  readonly wall: (zone: string | null, at: number) => string;
  /** Calls back at each turn of that day by the clock; returns what ends it. */
  readonly watchDay: (zone: string | null, clock: () => number, turned: () => void) => () => void;
  /** Resolves after `ms`. */
  readonly delay: (ms: number) => Promise<void>;
}

interface Load<T> {
  readonly abort: AbortController;
  readonly showing: Showing;
  /** The stream's epoch when the load began. */
  readonly base: number;
  /** The products that the stream told when the load began. */
  readonly told: readonly string[];
  /** Every change after `base`. */
  readonly kept: Changes[];
  loaded: { readonly of: T } | null;
}

/** What is under way, by what it brings. At most one of the first two. */
interface Loads {
  whole: Load<Snapshot> | null;
  slice: Load<Slice | null> | null;
  minutes: Load<Annex> | null;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** How long what was loaded may wait for the stream to reach its newest part before it is loaded anew. */
const SETTLE_MS = 10_000;
/** So far a commit may be of the future: clocks are compared over a network, and drift. */
const AHEAD_MS = 1_000;

export class LiveStore {
  readonly #parts: LiveParts;
  readonly #frames: FrameScheduler;
  readonly #listeners = new Set<() => void>();
  readonly #loads: Loads = { whole: null, slice: null, minutes: null };
  #stream: Stream | null = null;
  #streamEpoch: number | null = null;
  #queue: Changes[] = [];
  #ledger: Ledger | null = null;
  /** No ledger holds listings, and an epoch that the store went back from comes again: they are counted here. */
  #relisted = 0;
  #retryMs = FIRST_RETRY_MS;
  /** Whether it has rested and has not gone on yet: contact alone forgets it where the page wakes before its network. */
  #rested = false;
  /** Whether rows by product can be followed, as far as is known. */
  #tellsProducts = true;
  #endDay: () => void = () => undefined;
  #state: LiveState;

  constructor(parts: LiveParts, showing: Showing) {
    this.#parts = parts;
    this.#frames = parts.scheduler(() => { this.flush(); });
    this.#state = stateBefore(showing);
  }

  readonly getState = (): LiveState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Opens the stream. Call once; `stop` ends it for good. */
  start(): void {
    this.#stream ??= this.#parts.openStream(
      {
        opened: () => { this.#opened(); },
        lost: () => { this.#patch({ contact: "lost" }); },
        refused: () => { void this.#refused(); },
        rested: () => { this.#rest(); },
        hello: (hello) => { this.#hello(hello); },
        changes: (changes) => { this.#changes(changes); },
        reset: (reset) => { this.#restart(reset); },
        contact: ({ contact }: Contact) => { this.#patch({ contact: contact ? "open" : "away" }); },
      },
      this.#products(),
    );
  }

  stop(): void {
    this.#stream?.close();
    this.#stream = null;
    this.#drop();
    this.#endDay();
    this.#frames.cancel();
  }

  /** Asks for a period and a narrowing: shown at once if their rows are held, else when they are. */
  show({ period, narrowing }: Showing): void {
    this.#patch({ wanted: period, wantedNarrowing: narrowing });
    this.#stream?.follow(this.#products());
    const ledger = this.#ledger;
    if (!ledger || this.#state.frozen) {
      // A load under way is for something else: it would only be thrown away later.
      if (this.#streamEpoch !== null) this.#begin();
    } else if (!covers(ledger.from, spanOf(period, ledger.anchor).from)) {
      this.#begin();
    } else if (this.#holdsSlice(ledger)) {
      this.#drop("whole", "slice");
      if (narrowed(narrowing).length === 0) ledger.slice = null;
      this.#publish(ledger, new Set(ledger.slice ? [] : ["slice"]), this.#shown({ period, narrowing }));
      this.#afterwards();
    } else {
      this.#beginSlice();
    }
  }

  /** Takes in what the stream has brought. Called by the scheduler; tests call it too. */
  flush(): void {
    this.#frames.cancel();
    const queue = this.#queue;
    this.#queue = [];
    const touched = new Set<Touched>();
    const ledger = this.#state.frozen ? null : this.#ledger;
    for (const changes of queue) {
      if (changes.changed.products ?? changes.removed.products) this.#relisted += 1;
      for (const load of Object.values(this.#loads) as (Load<unknown> | null)[]) load?.kept.push(changes);
      if (ledger) for (const part of ledger.absorb(changes)) touched.add(part);
    }
    if (ledger && queue.length > 0) {
      ledger.settle();
      if (touched.has("sales_per_day")) ledger.moveAnchor(this.#parts.wall(ledger.timeZone, this.#now()));
    }
    const { whole } = this.#loads;
    if (!(whole?.loaded && this.#adopt(whole, whole.loaded.of))) {
      if (!ledger) return;
      const rest = { ...this.#joinSlice(ledger, touched), ...this.#joinMinutes(ledger, touched) };
      if (queue.length === 0 && touched.size === 0) return;
      this.#publish(ledger, touched, rest);
    }
    this.#afterwards();
  }

  /** What follows from what is shown now. */
  #afterwards(): void {
    this.#stream?.follow(this.#products());
    const { whole, slice } = this.#loads;
    if (whole || slice) return;
    // A new day has begun: its best sellers are loaded, and meanwhile those of the day before are shown.
    if (this.#ledger?.lacksBestSellers === true) this.#begin();
    else this.#wantMinutes();
  }

  /** Nothing is loaded while nobody looks, and nothing that is loaded could be settled. */
  #rest(): void {
    this.#drop();
    this.#rested = true;
    this.#patch({ contact: "resting" });
  }

  /** One reason may be that a product is followed whose view is switched off: that would be refused for ever. */
  async #refused(): Promise<void> {
    this.#patch({ refused: this.#state.refused + 1 });
    if (this.#products().length === 0) return;
    const kept = await this.#parts.isKept("sales_per_product").catch(() => true);
    if (kept || !this.#tellsProducts || this.#state.contact !== "lost") return;
    this.#tellsProducts = false;
    this.#stream?.follow([]);
    // What is held of the product would get no changes any more.
    if (this.#streamEpoch !== null) this.#restart({ epoch: this.#streamEpoch });
  }

  #opened(): void {
    this.#patch({ contact: "open", refused: 0 });
    // Before the first hello there is nothing to go on with: it begins.
    if (this.#rested && this.#streamEpoch !== null) {
      const { wanted, wantedNarrowing } = this.#state;
      this.show({ period: wanted, narrowing: wantedNarrowing });
      this.#turnDay();
    }
    this.#rested = false;
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
    this.#compareClocks(changes);
    this.#queue.push(changes);
    this.#frames.request();
  }

  /** The stream goes on from an epoch of its own choosing: what we hold can not be patched any more. */
  #restart({ epoch }: Pick<Reset, "epoch">): void {
    if (this.#streamEpoch !== null) {
      this.flush();
      // What the stream skips may be of listings too.
      this.#relisted += 1;
    }
    // A load under way misses the changes that the stream skips: nothing may settle it by the new epoch.
    this.#drop();
    this.#streamEpoch = epoch;
    if (this.#ledger) this.#patch({ frozen: true });
    this.#begin();
  }

  /** The time (ms) by the service's clock: ours may be wrong by days. */
  #now(): number {
    return this.#parts.clock() + this.#state.clockSkew;
  }

  /**
   * No commit is of the future: where one seems to be, our clock was set back after the two were compared. Of the past it
   * may well be, as it may come late.
   */
  #compareClocks({ committed_at }: Changes): void {
    const ahead = (instant(committed_at) ?? Number.NEGATIVE_INFINITY) - this.#now();
    if (ahead > AHEAD_MS) this.#patch({ clockSkew: this.#state.clockSkew + ahead });
  }

  #drop(...loads: (keyof Loads)[]): void {
    for (const name of loads.length > 0 ? loads : (Object.keys(this.#loads) as (keyof Loads)[])) {
      this.#loads[name]?.abort.abort();
      this.#loads[name] = null;
    }
  }

  /** Loads everything anew. */
  #begin(): void {
    this.flush();
    this.#drop();
    const load = this.#newLoad<Snapshot>();
    this.#loads.whole = load;
    this.#patch({ loading: true });
    const minutes = this.#ledger?.minutesBefore != null;
    void this.#run(load, {
      isLive: () => this.#loads.whole === load,
      fetch: () => this.#parts.loadSnapshot(load.showing, minutes, load.abort.signal),
      floor: ({ ledger }) => ledger.floor,
      again: () => { this.#begin(); },
    });
  }

  /** Loads what is narrowed to, and nothing else. */
  #beginSlice(): void {
    this.flush();
    this.#drop("whole", "slice");
    const ledger = this.#ledger;
    if (!ledger) return;
    const load = this.#newLoad<Slice | null>();
    this.#loads.slice = load;
    this.#patch({ loading: true });
    void this.#run(load, {
      isLive: () => this.#loads.slice === load,
      fetch: () => this.#parts.loadSlice(load.showing, ledger, load.abort.signal),
      floor: (slice) => slice?.floor ?? Number.POSITIVE_INFINITY,
      again: () => { this.#beginSlice(); },
    });
  }

  /** Once today is shown, what it is compared with up to the same time of day. */
  #wantMinutes(): void {
    const ledger = this.#ledger;
    const { period, narrowing, frozen } = this.#state;
    if (!ledger || frozen || ledger.minutesBefore || this.#loads.minutes) return;
    if (!ledger.kept.has("orders_per_minute") || narrowed(narrowing).length > 0) return;
    const { anchor } = ledger;
    if (spanOf(period, anchor).to !== anchor || spanBefore(period, anchor)?.to !== addDays(anchor, -1)) return;
    const load = this.#newLoad<Annex>();
    this.#loads.minutes = load;
    void this.#run(load, {
      isLive: () => this.#loads.minutes === load,
      fetch: () => this.#parts.loadMinutesBefore(ledger, load.abort.signal),
      floor: ({ floor }) => floor,
      again: () => {
        this.#loads.minutes = null;
        this.#wantMinutes();
      },
    });
  }

  #newLoad<T>(): Load<T> {
    const { wanted, wantedNarrowing } = this.#state;
    return {
      abort: new AbortController(),
      showing: { period: wanted, narrowing: wantedNarrowing },
      base: this.#streamEpoch ?? 0,
      told: this.#products(),
      kept: [],
      loaded: null,
    };
  }

  async #run<T>(
    load: Load<T>,
    { isLive, fetch, floor, again }: {
      isLive: () => boolean;
      fetch: () => Promise<T>;
      floor: (loaded: T) => number;
      again: () => void;
    },
  ): Promise<void> {
    const later = async (problem: string | null) => {
      if (problem !== null) this.#patch({ problem });
      const wait = this.#retryMs;
      this.#retryMs = Math.min(wait * 2, LONGEST_RETRY_MS);
      await this.#parts.delay(wait);
      if (isLive()) again();
    };
    try {
      const loaded = await fetch();
      if (!isLive()) return;
      if (floor(loaded) < load.base) {
        await later(null);
        return;
      }
      load.loaded = { of: loaded };
      this.#retryMs = FIRST_RETRY_MS;
      // Shown in the next frame: a task apart from taking in the last page.
      this.#frames.request();
      await this.#parts.delay(SETTLE_MS);
      if (isLive()) again();
    } catch (fault) {
      if (isLive()) await later(fault instanceof Error ? fault.message : String(fault));
    }
  }

  /** Shows the loaded ledger if the kept changes settle it. */
  #adopt(load: Load<Snapshot>, { ledger, clockSkew }: Snapshot): boolean {
    for (const changes of load.kept.splice(0)) ledger.absorb(changes);
    if (!ledger.settledAt(this.#streamEpoch ?? 0)) return false;
    this.#tellsProducts = !ledger.off.has("sales_per_product");
    const product = ledger.slice?.tables.sales_per_product?.by.product;
    if (typeof product === "string" && !load.told.includes(product)) {
      // The view was switched on meanwhile: the stream has told nothing of these rows.
      this.#stream?.follow(this.#products());
      this.#drop("whole");
      this.#begin();
      return true;
    }
    ledger.settle();
    ledger.moveAnchor(this.#parts.wall(ledger.timeZone, this.#parts.clock() + clockSkew));
    this.#drop("minutes");
    this.#loads.whole = null;
    this.#ledger = ledger;
    this.#publish(ledger, new Set<Touched>([...VIEWS, "ratings_per_product", "slice", "minutesBefore"]), {
      ...this.#shown(load.showing),
      ready: true,
      frozen: false,
      clockSkew,
      off: ledger.off,
      completeFrom: ledger.completeFrom,
      timeZone: ledger.timeZone,
      ordersKept: ledger.ordersKept,
    });
    this.#endDay();
    this.#endDay = this.#parts.watchDay(ledger.timeZone, () => this.#now(), () => { this.#turnDay(); });
    return true;
  }

  /** Shows the loaded slice, if it is at the ledger's epoch once the kept changes are in it. */
  #joinSlice(ledger: Ledger, touched: Set<Touched>): Partial<LiveState> {
    const load = this.#loads.slice;
    if (!load?.loaded) return {};
    const slice = load.loaded.of;
    if (slice && !this.#reaches(ledger, slice, load.kept)) return {};
    ledger.slice = slice;
    this.#loads.slice = null;
    touched.add("slice");
    return this.#shown(load.showing);
  }

  #joinMinutes(ledger: Ledger, touched: Set<Touched>): Partial<LiveState> {
    const load = this.#loads.minutes;
    if (!load?.loaded || !this.#reaches(ledger, load.loaded.of, load.kept)) return {};
    ledger.minutesBefore = load.loaded.of;
    this.#loads.minutes = null;
    touched.add("minutesBefore");
    return {};
  }

  #reaches(ledger: Ledger, annex: Annex, kept: Changes[]): boolean {
    for (const changes of kept.splice(0)) annex.absorb(changes);
    if ((this.#streamEpoch ?? 0) < Math.max(annex.ceiling, ledger.epoch)) return false;
    annex.settle(ledger.epoch);
    return true;
  }

  /** At midnight: the periods move on, without an order. */
  #turnDay(): void {
    const ledger = this.#ledger;
    const { frozen, contact } = this.#state;
    if (!ledger || frozen || contact === "resting" || !ledger.moveAnchor(this.#parts.wall(ledger.timeZone, this.#now()))) return;
    this.#publish(ledger, new Set<Touched>(ledger.turnBestDay() ? ["top_products"] : []), {});
    this.#afterwards();
  }

  /** True if what is asked for is narrowed to rows that are held. */
  #holdsSlice(ledger: Ledger): boolean {
    const { wanted, wantedNarrowing } = this.#state;
    if (narrowed(wantedNarrowing).length === 0) return true;
    const { slice } = ledger;
    return (
      slice !== null && sameNarrowing(slice.by, wantedNarrowing) && covers(slice.from, firstNeeded(wanted, ledger.anchor))
    );
  }

  /** The products whose rows the stream must tell, where it can: of what is shown, and of what is asked for. */
  #products(): string[] {
    if (!this.#tellsProducts) return [];
    const { narrowing, wantedNarrowing } = this.#state;
    const products = [narrowing, wantedNarrowing].map(({ product }) => product).filter((product) => product !== null);
    return [...new Set(products)].sort();
  }

  #shown({ period, narrowing }: Showing): Partial<LiveState> {
    return { period, narrowing, loading: false, problem: null };
  }

  #publish(ledger: Ledger, touched: ReadonlySet<Touched>, rest: Partial<LiveState>): void {
    const { tables, minutesBefore } = ledger;
    const before = this.#state;
    const state = <V extends Whole>(view: V): TableState<V> => {
      const table: Table<V> = tables[view];
      return before.views && !touched.has(view) ? before.views[view] : { table };
    };
    const minutes = minutesBefore?.tables.orders_per_minute;
    this.#patch({
      epoch: ledger.epoch,
      committedAt: ledger.committedAt,
      backlog: ledger.backlog,
      counts: ledger.counts,
      currencies: ledger.currencies,
      anchor: ledger.anchor,
      bestDay: ledger.bestDay,
      views: {
        sales_per_day: state("sales_per_day"),
        sales_per_category: state("sales_per_category"),
        sales_per_month: state("sales_per_month"),
        sales_per_payment_method: state("sales_per_payment_method"),
        top_products: state("top_products"),
        orders_per_minute: state("orders_per_minute"),
      },
      slice: touched.has("slice") ? ledger.slice && { held: ledger.slice } : before.slice,
      minutesBefore: touched.has("minutesBefore") ? (minutes ? { table: minutes } : null) : before.minutesBefore,
      ratings: before.ratings && !touched.has("ratings_per_product") ? before.ratings : { list: ledger.ratings },
      relisted: this.#relisted,
      newestRecord: ledger.newestRecord,
      ...rest,
    });
  }

  #patch(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

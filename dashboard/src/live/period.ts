/** Which days the page shows. Days are ISO text throughout: they compare as text and have no time zone. */

export const PRESETS = ["today", "yesterday", "7", "30", "90", "month", "year", "all"] as const;
/** Days that move with the shop's day: today, the last 7 days with today, this month so far, everything. */
export type Preset = (typeof PRESETS)[number];
/** From a day to a day, both counted: `2026-11-01..2026-11-22`. */
export type Range = `${string}..${string}`;
export type Period = Preset | Range;

export const DEFAULT_PERIOD: Period = "30";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A shop without a sale for longer than this is an archive: its periods end with its last day, not with today. */
const ALIVE_DAYS = 31;

export const dayMillis = (day: string): number => Date.parse(`${day}T00:00:00Z`);

export const addDays = (day: string, days: number): string =>
  new Date(dayMillis(day) + days * DAY_MS).toISOString().slice(0, 10);

/** Days from `first` to `last`, both counted. */
export const daysBetween = (first: string, last: string): number =>
  Math.round((dayMillis(last) - dayMillis(first)) / DAY_MS) + 1;

/** Whether a text is a day of the calendar, in full. */
export const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(dayMillis(text)) && addDays(text, 0) === text;

/** The zone, where this machine knows it by its IANA name; else null. */
export function knownZone(zone: string | null | undefined): string | null {
  if (zone === null || zone === undefined) return null;
  try {
    clockOf(zone);
    return zone;
  } catch {
    return null;
  }
}

/** Making one costs more than all that it formats. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    calendar: "iso8601",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  clocks.set(zone, made);
  return made;
}

/** The day at an instant, by the clock of `zone` (an IANA name), or of this machine where that is null. */
export function dayIn(zone: string | null, now: Date = new Date()): string {
  if (zone !== null) {
    const parts = clockOf(zone).formatToParts(now);
    const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "";
    return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`;
  }
  const two = (part: number) => String(part).padStart(2, "0");
  return `${String(now.getFullYear())}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** The first minute (ms since 1970) of a day, by the clock of `zone`: not always midnight where clocks change. */
export function dayStart(day: string, zone: string | null): number {
  // Zones are at most 14 hours ahead of UTC, and 12 behind.
  let before = dayMillis(day) - 15 * HOUR_MS;
  let within = dayMillis(day) + 13 * HOUR_MS;
  while (within - before > MINUTE_MS) {
    const middle = before + Math.floor((within - before) / 2 / MINUTE_MS) * MINUTE_MS;
    if (dayIn(zone, new Date(middle)) < day) before = middle;
    else within = middle;
  }
  return within;
}

/** The day on this machine's wall. */
export const today = (now: Date = new Date()): string => dayIn(null, now);

/**
 * The day that periods end with. For a shop that sells it is the day on the wall, or tomorrow's where that has
 * sales already (the shop may be east of the reader); a single order dated 2099 does not move it. For an archive,
 * whose newest believable day is long past, it is that day. Where all days lie ahead, the newest; where there are
 * none, the wall's.
 */
export function anchorOf(days: Iterable<string>, wall: string): string {
  const tomorrow = addDays(wall, 1);
  let newest = "";
  let newestBelievable = "";
  for (const day of days) {
    if (day > newest) newest = day;
    if (day <= tomorrow && day > newestBelievable) newestBelievable = day;
  }
  if (newestBelievable === "") return newest || wall;
  const isAlive = newestBelievable < wall && addDays(newestBelievable, ALIVE_DAYS) >= wall;
  return isAlive ? wall : newestBelievable;
}

/** The days a period spans; null is open. "All" includes days beyond the anchor, the others end there. */
export interface Span {
  readonly from: string | null;
  readonly to: string | null;
}

/** A span with both its ends. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

export const rangeOf = (from: string, to: string): Range => (from <= to ? `${from}..${to}` : `${to}..${from}`);

/** The period that a text of the address names; the default where it names none. */
export function periodOf(text: string | null): Period {
  const preset = PRESETS.find((each) => each === text);
  if (preset) return preset;
  const [from = "", to = "", ...more] = (text ?? "").split("..");
  return isDay(from) && isDay(to) && more.length === 0 ? rangeOf(from, to) : DEFAULT_PERIOD;
}

export const isPreset = (period: Period): period is Preset => PRESETS.some((each) => each === period);

export function spanOf(period: Period, anchor: string): Span {
  if (!isPreset(period)) return { from: period.slice(0, 10), to: period.slice(12) };
  switch (period) {
    case "all":
      return { from: null, to: null };
    case "today":
      return { from: anchor, to: anchor };
    case "yesterday":
      return { from: addDays(anchor, -1), to: addDays(anchor, -1) };
    case "month":
      return { from: `${anchor.slice(0, 7)}-01`, to: anchor };
    case "year":
      return { from: `${anchor.slice(0, 4)}-01-01`, to: anchor };
    default:
      return { from: addDays(anchor, 1 - Number(period)), to: anchor };
  }
}

/**
 * The days that a period is compared with: as many, right before it; of a month or a year so far, the same days of
 * the one before. Null where there is nothing before: of all time.
 */
export function spanBefore(period: Period, anchor: string): Days | null {
  const { from, to } = spanOf(period, anchor);
  if (from === null || to === null) return null;
  if (period === "month") {
    const last = addDays(from, -1);
    const first = `${last.slice(0, 7)}-01`;
    const same = addDays(first, daysBetween(from, to) - 1);
    return { from: first, to: same < last ? same : last };
  }
  if (period === "year") {
    const year = String(Number(from.slice(0, 4)) - 1).padStart(4, "0");
    const same = `${year}${to.slice(4)}`;
    return { from: `${year}-01-01`, to: isDay(same) ? same : `${year}-02-28` };
  }
  const length = daysBetween(from, to);
  return { from: addDays(from, -length), to: addDays(from, -1) };
}

export const within = (day: string, span: Span): boolean =>
  (span.from === null || day >= span.from) && (span.to === null || day <= span.to);

/** The first day that a period and what it is compared with need; null where they need all. */
export const firstNeeded = (period: Period, anchor: string): string | null =>
  spanBefore(period, anchor)?.from ?? spanOf(period, anchor).from;

/** True if rows held from `held` on are all that `needed` asks for. */
export const covers = (held: string | null, needed: string | null): boolean =>
  held === null || (needed !== null && held <= needed);

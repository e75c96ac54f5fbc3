/** Which days the page shows. Days are ISO text throughout: they compare as text and have no time zone. */

export const PERIODS = ["30", "90", "all"] as const;
/** The last 30 or 90 business days, or everything. */
export type Period = (typeof PERIODS)[number];

const DAY_MS = 86_400_000;

export const dayMillis = (day: string): number => Date.parse(`${day}T00:00:00Z`);

export const addDays = (day: string, days: number): string =>
  new Date(dayMillis(day) + days * DAY_MS).toISOString().slice(0, 10);

/** Days from `first` to `last`, both counted. */
export const daysBetween = (first: string, last: string): number =>
  Math.round((dayMillis(last) - dayMillis(first)) / DAY_MS) + 1;

/** The day on this machine's wall. */
export function today(now: Date = new Date()): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${String(now.getFullYear())}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/**
 * The last day of "the last 30 days": the newest business day with sales, but not one beyond tomorrow (the
 * shop may be east of the reader), so that a single order dated 2099 does not empty the page. Where all
 * days lie ahead, the newest; where there are none, today.
 */
export function anchorOf(days: Iterable<string>, wall: string): string {
  const tomorrow = addDays(wall, 1);
  let newest = "";
  let newestBelievable = "";
  for (const day of days) {
    if (day > newest) newest = day;
    if (day <= tomorrow && day > newestBelievable) newestBelievable = day;
  }
  return newestBelievable || newest || wall;
}

/** The days a period spans; null is open. "All" includes days beyond the anchor, the others end there. */
export interface Span {
  readonly from: string | null;
  readonly to: string | null;
}

export function spanOf(period: Period, anchor: string): Span {
  if (period === "all") return { from: null, to: null };
  return { from: addDays(anchor, 1 - Number(period)), to: anchor };
}

export const within = (day: string, span: Span): boolean =>
  (span.from === null || day >= span.from) && (span.to === null || day <= span.to);

/** True if rows held from `held` on are all that `needed` asks for. */
export const covers = (held: string | null, needed: string | null): boolean =>
  held === null || (needed !== null && held <= needed);

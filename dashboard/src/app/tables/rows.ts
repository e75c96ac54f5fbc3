/** The rows of the tables that are read from what the page holds: exact sums of one currency, newest first. */
import type { DayView } from "../../live/holding";
import { within, type Span } from "../../live/period";
import type { Entry } from "../../live/table";
import { NOTHING, type LabelledSum, type Sum } from "../../live/totals";

/** What a row is told apart by. */
export const KINDS = ["category", "day", "month"] as const;
export type Kind = (typeof KINDS)[number];

export interface Row extends Sum {
  readonly key: string;
  /** An ISO day, or `YYYY-MM`. */
  readonly period: string;
  /** The category; empty in other tables. */
  readonly label: string;
}

/** What the page holds of the filters that are set. */
export interface Source {
  readonly view: DayView;
  readonly entries: () => Iterable<Entry>;
  readonly keep: (entry: Entry) => boolean;
  readonly label: (entry: Entry) => string;
}

/** A month at the edge of the span counts its days within the span alone, so that all tables sum to the same. */
export function rowsOf(kind: Kind, { entries, keep, label }: Source, currency: string, span: Span): Row[] {
  const rows = new Map<string, Row>();
  for (const entry of entries()) {
    if (entry.currency !== currency || !within(entry.period, span) || !keep(entry)) continue;
    const period = kind === "month" ? entry.period.slice(0, 7) : entry.period;
    const name = kind === "category" ? label(entry) : "";
    const key = `${period} ${name}`;
    const { micros, orders, units } = rows.get(key) ?? NOTHING;
    rows.set(key, {
      key,
      period,
      label: name,
      micros: micros + entry.micros,
      orders: orders + entry.orders,
      units: units + entry.units,
    });
  }
  return [...rows.values()].sort(byNewest);
}

/** The sum of each label over the span, largest first. */
export function labelled({ entries, keep, label }: Source, currency: string, span: Span): LabelledSum[] {
  const sums = new Map<string, Sum>();
  for (const entry of entries()) {
    if (entry.currency !== currency || !within(entry.period, span) || !keep(entry)) continue;
    sums.set(label(entry), sumOf([sums.get(label(entry)) ?? NOTHING, entry]));
  }
  return [...sums]
    .map(([name, sum]) => ({ label: name, ...sum }))
    .sort((a, b) => (a.micros === b.micros ? (a.label < b.label ? -1 : 1) : a.micros < b.micros ? 1 : -1));
}

const byNewest = (a: Row, b: Row): number => {
  if (a.period !== b.period) return a.period < b.period ? 1 : -1;
  if (a.micros !== b.micros) return a.micros < b.micros ? 1 : -1;
  return a.label < b.label ? -1 : 1;
};

export const sumOf = (rows: readonly Sum[]): Sum =>
  rows.reduce(
    (sum, { micros, orders, units }) => ({
      micros: sum.micros + micros,
      orders: sum.orders + orders,
      units: sum.units + units,
    }),
    NOTHING,
  );

/** A text without its case and accents: what searching compares. */
export const plain = (text: string): string =>
  text.normalize("NFD").replace(/\p{M}+/gu, "").toLowerCase();

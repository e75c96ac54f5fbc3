/** Numbers, days and ages in the reader's language. */
import { useTranslation } from "react-i18next";
import { isLanguage, localeOf, type Language } from "./index";
import { formatAxis, formatMoney, minorUnitsOf } from "./money";

export interface Format {
  readonly language: Language;
  /** The tag given to Intl. */
  readonly locale: string;
  /** An exact amount of a currency; `minorUnits` as the service says them, or null. */
  readonly money: (micros: bigint, currency: string, minorUnits: number | null) => string;
  readonly count: (count: number) => string;
  /** A part of the whole from 0 to 1, or a dash where there is none. */
  readonly share: (share: number | null) => string;
  /** A decimal of the service's, rounded for reading: "4.33". */
  readonly decimal: (text: string) => string;
  readonly axis: (value: number) => string;
  /** An ISO day: "22 Nov 2026", or without the year. */
  readonly day: (day: string) => string;
  readonly dayShort: (day: string) => string;
  readonly weekday: (day: string) => string;
  /** `YYYY-MM`: "Nov 2026", or "Nov". */
  readonly month: (month: string) => string;
  readonly monthShort: (month: string) => string;
  /** Without the year: "November". */
  readonly monthLong: (month: string) => string;
  /** The days from one to another: "28 Oct – 26 Nov 2026". */
  readonly range: (from: string, to: string) => string;
  /** A change in thousandths, without its sign: "4.2%". */
  readonly change: (permille: number) => string;
  /** The day of the week, Monday being 0: "Mon". */
  readonly dayOfWeek: (weekday: number) => string;
  /** A clock time, `14:32`, as the reader writes it. */
  readonly time: (clock: string) => string;
  /** An ISO moment as the time of day on the reader's clock: "12:34". */
  readonly minute: (moment: string) => string;
  /** An instant (ms since 1970) as time of day, with the day where it is not today's. */
  readonly clock: (millis: number) => string;
  /** "3 seconds ago", in steps that do not flicker. */
  readonly ago: (millis: number) => string;
  /** "3 minutes" */
  readonly duration: (millis: number) => string;
}

const utc = (text: string) => new Date(`${text}T00:00:00Z`);

function scaled(millis: number): [number, "second" | "minute" | "hour" | "day"] {
  const seconds = Math.round(millis / 1000);
  if (seconds < 60) return [seconds, "second"];
  if (seconds < 3600) return [Math.floor(seconds / 60), "minute"];
  if (seconds < 86_400) return [Math.floor(seconds / 3600), "hour"];
  return [Math.floor(seconds / 86_400), "day"];
}

export function createFormat(language: Language, browser: readonly string[]): Format {
  const locale = localeOf(language, browser);
  const date = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options });
  const day = date({ day: "numeric", month: "short", year: "numeric" });
  const dayShort = date({ day: "numeric", month: "short" });
  const weekday = date({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const dayOfWeek = date({ weekday: "short" });
  const timeOfDay = date({ timeStyle: "short" });
  const month = date({ month: "long", year: "numeric" });
  const monthShort = date({ month: "short" });
  const monthLong = date({ month: "long" });
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
  const minute = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const dayTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const count = new Intl.NumberFormat(locale);
  const decimal = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const percent = new Intl.NumberFormat(locale, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const changed = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const units = new Map<string, Intl.NumberFormat>();
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
  return {
    language,
    locale,
    money: (micros, currency, minorUnits) =>
      formatMoney(micros, currency, minorUnitsOf(currency, minorUnits), locale),
    count: (value) => count.format(value),
    share: (share) => (share === null ? "–" : percent.format(share)),
    decimal: (text) => decimal.format(text as Intl.StringNumericLiteral),
    axis: (value) => formatAxis(value, locale),
    day: (text) => day.format(utc(text)),
    dayShort: (text) => dayShort.format(utc(text)),
    weekday: (text) => weekday.format(utc(text)),
    month: (text) => month.format(utc(`${text}-01`)),
    monthShort: (text) => monthShort.format(utc(`${text}-01`)),
    monthLong: (text) => monthLong.format(utc(`${text}-01`)),
    range: (from, to) => (from === to ? day.format(utc(from)) : day.formatRange(utc(from), utc(to))),
    change: (permille) => changed.format(Math.abs(permille) / 1_000),
    // The fifth of January 1970 was a Monday.
    dayOfWeek: (weekday) => dayOfWeek.format(new Date((4 + weekday) * 86_400_000)),
    time: (clock) => timeOfDay.format(new Date(`1970-01-01T${clock}:00Z`)),
    minute: (moment) => minute.format(new Date(moment)),
    clock: (millis) => {
      const then = new Date(millis);
      const sameDay = then.toDateString() === new Date().toDateString();
      return (sameDay ? time : dayTime).format(then);
    },
    ago: (millis) => {
      const [amount, unit] = scaled(millis);
      return relative.format(-amount, unit);
    },
    duration: (millis) => {
      const [amount, unit] = scaled(millis);
      const format =
        units.get(unit) ?? new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" });
      units.set(unit, format);
      return format.format(amount);
    },
  };
}

/** One for each language: making Intl's formats costs more than all that they format on the page. */
const made = new Map<Language, Format>();

export function useFormat(): Format {
  const { i18n } = useTranslation();
  const language = isLanguage(i18n.language) ? i18n.language : "en";
  const known = made.get(language);
  if (known) return known;
  const format = createFormat(language, navigator.languages);
  made.set(language, format);
  return format;
}

/** Amounts as people write them: exact, in the reader's language, with the currency's own digits. */
import { amountText, placesNeeded } from "../live/amount";

/** Currencies that people write without decimals, and codes that Intl does not know by the name in use. */
const ISO_NAME: Readonly<Record<string, string>> = {
  // The CFA franc as shops write it; XOF is what Intl writes as "F CFA".
  FCFA: "XOF",
  CFA: "XOF",
};

const formats = new Map<string, Intl.NumberFormat>();

function cached(key: string, make: () => Intl.NumberFormat): Intl.NumberFormat {
  const known = formats.get(key);
  if (known) return known;
  const made = make();
  formats.set(key, made);
  return made;
}

/** The digits people write after the decimal sign: what the service says, else what Intl knows, else two. */
export function minorUnitsOf(currency: string, said: number | null): number {
  if (said !== null) return said;
  const code = intlCode(currency);
  if (code === null) return 2;
  const format = cached(`digits ${code}`, () =>
    new Intl.NumberFormat("en", { style: "currency", currency: code }),
  );
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

/** A code that Intl formats as a currency, or null: currencies are opaque codes, some are no ISO ones. */
export function intlCode(currency: string): string | null {
  const code = ISO_NAME[currency] ?? currency;
  return /^[A-Z]{3}$/.test(code) ? code : null;
}

/**
 * The amount exactly: at least the minor units, and more places where the amount has them. Intl formats
 * decimal strings without a float in between.
 */
export function formatMoney(micros: bigint, currency: string, minorUnits: number, language: string): string {
  const places = Math.max(minorUnits, placesNeeded(micros));
  const code = intlCode(currency);
  const format = cached(`${language} ${code ?? ""} ${minorUnits} ${places}`, () =>
    new Intl.NumberFormat(language, {
      ...(code === null ? {} : { style: "currency", currency: code }),
      minimumFractionDigits: minorUnits,
      maximumFractionDigits: places,
    }),
  );
  const exact = amountText(micros) as Intl.StringNumericLiteral;
  if (code === null) return `${format.format(exact)}\u00a0${currency}`;
  return format
    .formatToParts(exact)
    // "F CFA" with a space that is seen: Intl's is so narrow that it vanishes in a heading.
    .map(({ type, value }) => (type === "currency" ? value.replace("\u202f", "\u00a0") : value))
    .join("");
}

/** Short and rounded, for the axes of charts: "12 k". */
export function formatAxis(value: number, language: string): string {
  return cached(`${language} axis`, () =>
    new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }),
  ).format(value);
}


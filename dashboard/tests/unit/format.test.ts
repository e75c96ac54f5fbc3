import { describe, expect, it } from "vitest";
import { preferredLanguage } from "../../src/i18n";
import en from "../../src/i18n/en.json";
import { createFormat } from "../../src/i18n/format";
import fr from "../../src/i18n/fr.json";
import { formatMoney, minorUnitsOf } from "../../src/i18n/money";
import { parseAmount } from "../../src/live/amount";
import { readable } from "../../src/app/names";

/** Any space as a plain one. */
const plain = (text: string) => text.replaceAll(/\s/g, " ");
const money = (text: string, currency: string, digits: number, language: string) =>
  plain(formatMoney(parseAmount(text), currency, digits, language));

describe("amounts as text", () => {
  it.each([
    ["12500.000000", "FCFA", 0, "fr", "12 500 F CFA"],
    ["12500.000000", "FCFA", 0, "en", "F CFA 12,500"],
    ["12500.000000", "XAF", 0, "fr", "12 500 FCFA"],
    ["1234.500000", "EUR", 2, "fr", "1 234,50 €"],
    ["1234.500000", "EUR", 2, "en", "€1,234.50"],
    ["-5.000000", "USD", 2, "en", "-$5.00"],
    ["7.000000", "POINTS", 2, "en", "7.00 POINTS"],
  ] as const)("writes %s %s with %i digits in %s as %s", (text, currency, digits, language, expected) => {
    expect(money(text, currency, digits, language)).toBe(expected);
  });

  it("is exact beyond 2^53, and to the last place there is", () => {
    expect(money("9007199254740993.120000", "EUR", 2, "en")).toBe("€9,007,199,254,740,993.12");
    expect(money("90071992547409931234567890.000001", "EUR", 2, "en")).toBe(
      "€90,071,992,547,409,931,234,567,890.000001",
    );
  });

  it("never rounds away what is there", () => {
    expect(money("0.005000", "EUR", 2, "en")).toBe("€0.005");
    expect(money("12500.500000", "FCFA", 0, "fr")).toBe("12 500,5 F CFA");
  });

  it("knows the digits of a currency that the service has not told yet", () => {
    expect([minorUnitsOf("EUR", null), minorUnitsOf("FCFA", null), minorUnitsOf("JPY", null)]).toEqual([2, 0, 0]);
    expect([minorUnitsOf("POINTS", null), minorUnitsOf("EUR", 3)]).toEqual([2, 3]);
  });
});

describe("ages and days", () => {
  it("are in the reader's language and variant", () => {
    expect(createFormat("en", ["en-GB"]).day("2026-11-22")).toBe("22 Nov 2026");
    expect(createFormat("en", ["en-US"]).day("2026-11-22")).toBe("Nov 22, 2026");
    expect(createFormat("fr", ["en-GB"]).day("2026-11-22")).toBe("22 nov. 2026");
    expect(createFormat("fr", []).ago(125_000)).toBe("il y a 2 minutes");
    expect(createFormat("en", []).ago(3_000)).toBe("3 seconds ago");
    expect(createFormat("en", []).duration(3_600_000)).toBe("1 hour");
  });
});

describe("languages", () => {
  it("come from the choice, then the browser, then English", () => {
    expect(preferredLanguage("fr", ["en-GB"])).toBe("fr");
    expect(preferredLanguage(null, ["de-DE", "fr-CH", "en"])).toBe("fr");
    expect(preferredLanguage("xx", ["de-DE"])).toBe("en");
  });

  it("say the same things", () => {
    const keys = (value: object, path = ""): string[] =>
      Object.entries(value).flatMap(([key, inner]) =>
        typeof inner === "object" && inner !== null ? keys(inner as object, `${path}${key}.`) : [`${path}${key}`],
      );
    // French has one plural form more.
    expect(keys(fr).filter((key) => !key.endsWith("_many"))).toEqual(keys(en));
  });
});

it("makes codes of payment methods readable", () => {
  expect(readable("WAVE_MONEY")).toBe("Wave money");
  expect(readable("Chèque cadeau")).toBe("Chèque cadeau");
});

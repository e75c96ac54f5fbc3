import { describe, expect, it } from "vitest";
import type { Proofs } from "../../src/api/types";
import { createFormat } from "../../src/i18n/format";
import en from "../../src/i18n/en.json";
import fr from "../../src/i18n/fr.json";
import { proofOf, stretchesOf } from "../../src/live/proof";

const NONE: Proofs = {
  days: 3,
  proven: 0,
  differing: 0,
  not_provable: 0,
  unproven: 3,
  first_proven_at: null,
  last_proven_at: null,
  inconsistent_groups: 0,
};

describe("proof", () => {
  it.each([
    ["none", {}],
    ["proven", { proven: 1 }],
    ["proven", { not_provable: 1 }],
    ["wrong", { proven: 2, differing: 1 }],
    // Told even where nothing was recounted: it needs no audit.
    ["wrong", { inconsistent_groups: 1 }],
  ] as const)("is %s for %j", (proof, change) => {
    expect(proofOf({ ...NONE, ...change })).toBe(proof);
  });

  it("is worded in both languages, with every plural that they have", () => {
    const stems = (words: object) => new Set(Object.keys(words).map((key) => key.replace(/_(one|many|other)$/, "")));
    expect(stems(fr.proof)).toEqual(stems(en.proof));
    for (const [language, words, plurals] of [["en", en.proof, 2], ["fr", fr.proof, 3]] as const) {
      const keys = Object.keys(words).filter((key) => /_(one|many|other)$/.test(key));
      expect(keys).toHaveLength(3 * plurals);
      expect(createFormat(language, [language]).ago(180_000)).toMatch(/3/);
    }
  });

  it("is told of days in a row together, where the same was found of them", () => {
    const day = (order_date: string, state = "proven") => ({ order_date, state });
    expect(stretchesOf([])).toEqual([]);
    expect(
      stretchesOf([day("2026-11-21"), day("2026-11-20"), day("2026-11-18"), day("2026-11-17", "differs"), day("2026-11-16", "what?"), day("2026-11-15", "unproven")]),
    ).toEqual([
      { state: "proven", from: "2026-11-20", to: "2026-11-21" },
      { state: "proven", from: "2026-11-18", to: "2026-11-18" },
      { state: "differs", from: "2026-11-17", to: "2026-11-17" },
      { state: "unproven", from: "2026-11-15", to: "2026-11-16" },
    ]);
  });
});

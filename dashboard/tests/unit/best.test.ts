import { describe, expect, it } from "vitest";
import { rankingOf } from "../../src/app/best";
import { spanOf, type Period } from "../../src/live/period";

const newest = "2026-11-22";
const of = (period: Period, day = newest) => rankingOf(period, spanOf(period, newest), day);

describe("the ranking of a period", () => {
  it("is the one of exactly its days", () => {
    expect(of("all")).toBe("all");
    expect(of("today")).toBe("2026-11-22");
    expect(of("month")).toBe("2026-11");
    expect(of("2026-11-22..2026-11-22")).toBe("2026-11-22");
    expect(of("2026-11-01..2026-11-22")).toBe("2026-11");
  });

  it("is none where the service ranks other days", () => {
    for (const period of ["yesterday", "7", "30", "90", "year", "2026-10-01..2026-10-31"] as const) expect(of(period)).toBeNull();
    expect(of("today", "2026-11-21"), "the newest day is not ranked yet").toBeNull();
    expect(of("month", "2026-11-21")).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { anchorOf, dayIn, dayStart, firstNeeded, isDay, knownZone, periodOf, spanBefore, spanOf, PRESETS, daysBetween, addDays } from "../../src/live/period";

describe("a period", () => {
  it("is a preset or a range of days, and the default where the address says something else", () => {
    for (const preset of PRESETS) expect(periodOf(preset)).toBe(preset);
    expect(periodOf("2026-11-01..2026-11-22")).toBe("2026-11-01..2026-11-22");
    expect(periodOf("2026-11-22..2026-11-01")).toBe("2026-11-01..2026-11-22");
    for (const wrong of [null, "", "31", "2026-11-01", "2026-02-30..2026-03-01", "a..b", "2026-11-01..2026-11-02..x"]) {
      expect(periodOf(wrong)).toBe("30");
    }
    expect(["2026-02-29", "2024-02-29", "2026-1-01", "2026-13-01"].map(isDay)).toEqual([false, true, false, false]);
  });

  it("spans days up to the anchor", () => {
    const spans = PRESETS.map((preset) => spanOf(preset, "2026-11-22"));
    expect(spans.map(({ from, to }) => `${from ?? ""} ${to ?? ""}`)).toEqual([
      "2026-11-22 2026-11-22",
      "2026-11-21 2026-11-21",
      "2026-11-16 2026-11-22",
      "2026-10-24 2026-11-22",
      "2026-08-25 2026-11-22",
      "2026-11-01 2026-11-22",
      "2026-01-01 2026-11-22",
      " ",
    ]);
    expect(spanOf("2026-01-05..2026-02-03", "2026-11-22")).toEqual({ from: "2026-01-05", to: "2026-02-03" });
  });

  it("is compared with as many days right before it", () => {
    for (const period of ["today", "yesterday", "7", "30", "90", "2026-01-05..2026-02-03"] as const) {
      const span = spanOf(period, "2026-11-22");
      const before = spanBefore(period, "2026-11-22");
      expect(before && daysBetween(before.from, before.to)).toBe(daysBetween(span.from ?? "", span.to ?? ""));
      expect(before && addDays(before.to, 1)).toBe(span.from);
    }
    expect(spanBefore("all", "2026-11-22")).toBeNull();
  });

  it("is compared with the same days of the month or the year before", () => {
    expect(spanBefore("month", "2026-11-22")).toEqual({ from: "2026-10-01", to: "2026-10-22" });
    expect(spanBefore("month", "2026-03-31")).toEqual({ from: "2026-02-01", to: "2026-02-28" });
    expect(spanBefore("month", "2026-01-01")).toEqual({ from: "2025-12-01", to: "2025-12-01" });
    expect(spanBefore("year", "2026-11-22")).toEqual({ from: "2025-01-01", to: "2025-11-22" });
    expect(spanBefore("year", "2024-02-29")).toEqual({ from: "2023-01-01", to: "2023-02-28" });
  });
});

describe("the anchor", () => {
  it("is the day on the wall while the shop sells, though nothing was sold today yet", () => {
    expect(anchorOf(["2026-11-21"], "2026-11-22")).toBe("2026-11-22");
    expect(anchorOf(["2026-10-22"], "2026-11-22")).toBe("2026-11-22");
    expect(anchorOf([], "2026-11-22")).toBe("2026-11-22");
  });

  it("is the last day of an archive, and tomorrow where that has sales", () => {
    expect(anchorOf(["2026-10-21", "2026-10-20"], "2026-11-22")).toBe("2026-10-21");
    expect(anchorOf(["2026-11-22", "2026-11-23"], "2026-11-22")).toBe("2026-11-23");
    expect(anchorOf(["2026-11-21", "2099-01-01"], "2026-11-22")).toBe("2026-11-22");
    expect(anchorOf(["2099-01-01"], "2026-11-22")).toBe("2099-01-01");
  });

  it("is a day by the shop's clock", () => {
    const moment = new Date("2026-11-22T23:30:00Z");
    expect(dayIn("UTC", moment)).toBe("2026-11-22");
    expect(dayIn("Africa/Douala", moment)).toBe("2026-11-23");
    expect(dayIn("America/New_York", moment)).toBe("2026-11-22");
  });

  it("begins with the first minute of the day where the shop is, also where that is not midnight", () => {
    const start = (day: string, zone: string | null) => new Date(dayStart(day, zone)).toISOString();
    expect(start("2026-11-22", "UTC")).toBe("2026-11-22T00:00:00.000Z");
    expect(start("2026-11-22", "Africa/Douala")).toBe("2026-11-21T23:00:00.000Z");
    expect(start("2026-11-22", "Pacific/Kiritimati")).toBe("2026-11-21T10:00:00.000Z");
    expect(start("2026-11-22", "Pacific/Pago_Pago")).toBe("2026-11-22T11:00:00.000Z");
    expect(start("2026-11-22", "Asia/Kathmandu")).toBe("2026-11-21T18:15:00.000Z");
    // Clocks go from 23:59 to 01:00 there.
    expect(start("2026-04-24", "Africa/Cairo")).toBe("2026-04-23T22:00:00.000Z");
    const here = new Date(2026, 10, 22).getTime();
    expect(dayStart("2026-11-22", null)).toBe(here);
  });

  it("takes the reader's clock where the shop's zone is not known here", () => {
    expect([knownZone("Europe/Paris"), knownZone("Mars/Olympus"), knownZone(null), knownZone(undefined)]).toEqual(["Europe/Paris", null, null, null]);
  });

  it("needs the days that it is compared with", () => {
    expect([firstNeeded("7", "2026-11-22"), firstNeeded("today", "2026-11-22"), firstNeeded("all", "2026-11-22")]).toEqual(["2026-11-09", "2026-11-21", null]);
  });
});

import { describe, expect, it } from "vitest";
import { WIDE } from "../../src/live/holding";
import { stateBefore, type LiveState } from "../../src/live/state";
import { ageOf, countedUntil, trustOf } from "../../src/live/trust";

const NOW = 1_000_000_000;
const state = (change: Partial<LiveState>): LiveState => ({
  ...stateBefore({ period: "30", narrowing: WIDE }),
  contact: "open",
  ready: true,
  committedAt: NOW - 1_000,
  ...change,
});

describe("trust", () => {
  it.each([
    ["live", {}],
    ["live", { backlog: 900 }],
    ["idle", { committedAt: NOW - 31_000 }],
    ["idle", { committedAt: null }],
    // A log that was long written when it was counted to its end, or a job that died on the way there: nothing catches up
    // that the page knows of, and that all is counted it does not say either.
    ["idle", { committedAt: NOW - 31_000, backlog: 3_600_000 }],
    ["behind", { backlog: 31_000 }],
    ["behind", { frozen: true }],
    ["behind", { contact: "resting" }],
    ["starting", { contact: "resting", ready: false }],
    ["lost", { contact: "lost" }],
    ["lost", { contact: "lost", ready: false }],
    ["lost", { contact: "away" }],
    ["starting", { ready: false }],
    ["starting", { ready: false, contact: "connecting" }],
  ] as const)("is %s for %j", (trust, change) => {
    expect(trustOf(state(change), NOW)).toBe(trust);
  });

  it("tells the age by the server's clock", () => {
    expect(ageOf(state({ clockSkew: 5_000 }), NOW)).toBe(6_000);
    expect(ageOf(state({ clockSkew: -5_000 }), NOW)).toBe(0);
  });

  it.each([
    ["the newest commit, however long ago and in contact", { committedAt: NOW - 3_600_000, backlog: 0, newestRecord: NOW - 3_600_000 }, NOW - 3_600_000],
    ["the newest record, where it came out of a backlog", { backlog: 3_600_000, newestRecord: NOW - 3_601_000 }, NOW - 3_601_000],
    ["the newest commit, where no record has a time", { backlog: null, newestRecord: null }, NOW - 1_000],
    ["no moment before the first commit", { committedAt: null }, null],
  ] as const)("counts sales up to %s", (_, change, until) => {
    expect(countedUntil(state(change))).toBe(until);
  });
});

import { describe, expect, it } from "vitest";
import { LiveStore, type LiveState } from "../../src/live/store";
import { ageOf, trustOf } from "../../src/live/trust";

const store = new LiveStore(
  {
    openStream: () => ({ close: () => undefined }),
    loadSnapshot: () => new Promise(() => undefined),
    scheduler: () => ({ request: () => undefined, cancel: () => undefined }),
    clock: () => 0,
    wall: () => "2026-11-22",
    delay: () => new Promise(() => undefined),
  },
  "30",
);
const NOW = 1_000_000_000;
const state = (change: Partial<LiveState>): LiveState => ({
  ...store.getState(),
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
    // A log that was long written when it was counted, and is counted now.
    ["idle", { committedAt: NOW - 31_000, backlog: 3_600_000 }],
    ["behind", { backlog: 31_000 }],
    ["behind", { frozen: true }],
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
});

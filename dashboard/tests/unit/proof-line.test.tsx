// @vitest-environment happy-dom
/** What was proven, as an open page says it where nobody sells. */
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ProofLine } from "../../src/app/ProofLine";
import { startI18n } from "../../src/i18n";
import { LiveContext } from "../../src/live/react";
import { asking, pass } from "./asking";
import { order, started, type Service } from "./service";

const MINUTE = 60_000;
const PROVEN = { days: 2, proven: 2, differing: 0, not_provable: 0, inconsistent_groups: 0, last_proven_at: null };
const row = (state: string, order_date: string) => ({ order_date, state });

let answer: object;
/** What is answered where a page after the first is asked for. */
let older: object;
let asked = 0;
let service: Service;

beforeEach(async () => {
  answer = { epoch: 1, proofs: PROVEN, rows: [row("proven", "2026-11-21"), row("proven", "2026-11-20")], next_cursor: null };
  asked = 0;
  vi.stubGlobal("fetch", (url: string) => {
    asked += 1;
    const first = !new URL(url, "http://service").searchParams.has("cursor");
    return Promise.resolve(new Response(JSON.stringify(first ? answer : older)));
  });
  await startI18n("en");
  service = await started([order("a")]);
  vi.useFakeTimers();
  render(<LiveContext value={service.store}><ProofLine /></LiveContext>, { wrapper: asking({ staleTime: Infinity }) });
  await pass(0);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const states = () => [...document.querySelectorAll("[data-state]")].map((each) => each.getAttribute("data-state"));

it("tells of a difference that was found without a commit, and in the list of days that is open", async () => {
  act(() => { screen.getByTestId("proof").click(); });
  await pass(0);
  expect([screen.getByTestId("proof").textContent, states()]).toEqual(["proven: 2 of 2 days", ["proven"]]);
  answer = {
    epoch: 1,
    proofs: { ...PROVEN, proven: 1, differing: 1 },
    rows: [row("differs", "2026-11-21"), row("proven", "2026-11-20")],
    next_cursor: null,
  };
  await pass(3 * MINUTE);
  expect(screen.getByTestId("proof").textContent).toContain("1 day is not what the log says");
  expect(states()).toEqual(["differs", "proven"]);
});

it("lists the days that are older than the newest page of them", async () => {
  answer = { ...answer, proofs: { ...PROVEN, proven: 1, differing: 1 }, rows: [row("proven", "2026-11-21")], next_cursor: "older" };
  older = { ...answer, rows: [row("differs", "2019-01-05")], next_cursor: null };
  await pass(3 * MINUTE);
  act(() => { screen.getByTestId("proof").click(); });
  await pass(0);
  expect(states()).toEqual(["proven", "differs"]);
});

it("asks seldom, and not at all without contact", async () => {
  const before = asked;
  await pass(60 * MINUTE);
  expect(asked - before).toBeGreaterThan(0);
  expect(asked - before).toBeLessThanOrEqual(60);
  act(() => { service.disconnect(); });
  await pass(0);
  const until = asked;
  await pass(60 * MINUTE);
  expect(asked).toBe(until);
});

// @vitest-environment happy-dom
/** What the page says of its numbers where nothing comes: a quiet shop and a job that is dead look the same to it. */
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useTrust } from "../../src/app/trust";
import { startI18n } from "../../src/i18n";
import { LiveContext } from "../../src/live/react";
import { order, Service } from "./service";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function Said() {
  const { name, detail } = useTrust();
  return <p data-testid="said">{`${name}: ${detail}`}</p>;
}

async function said(language: "en" | "fr", backlog: number): Promise<string | null> {
  await startI18n(language);
  const service = new Service();
  service.clock = () => NOW;
  service.shop.commit([order("a")], { at: new Date(NOW - HOUR), writtenAt: new Date(NOW - HOUR - backlog) });
  service.store.start();
  await service.settle();
  render(<LiveContext value={service.store}><Said /></LiveContext>);
  return screen.getByTestId("said").textContent;
}

it.each([
  ["en", 0, "Nothing new: last change 1 hour ago"],
  ["en", 2 * HOUR, "Nothing new: last change 1 hour ago, of records written 2 hours earlier"],
  ["fr", 0, "Rien de nouveau: dernier changement il y a 1 heure"],
] as const)("says in %s when the last change was, and what came out of a backlog, and not that all is counted", async (language, backlog, words) => {
  expect(await said(language, backlog)).toBe(words);
});

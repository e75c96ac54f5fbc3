import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { eventsUrl, fetchFreshness, fetchPage, fetchRatings, fetchSummary, isViewOffOrFilling } from "./api/client";
import { App } from "./app/App";
import { narrowingInAddress, periodInAddress } from "./app/address";
import { watchSession } from "./app/sign-in/session";
import { preferredLanguage, startI18n, storedLanguage } from "./i18n";
import { frameScheduler } from "./live/frame";
import { watchDay } from "./live/midnight";
import { dayIn, firstNeeded } from "./live/period";
import { LiveContext } from "./live/react";
import { loadMinutesBefore, loadSlice, loadSnapshot } from "./live/snapshot";
import { LiveStore } from "./live/store";
import { openEventStream } from "./live/stream";
import "./styles/base.css";

const clock = () => Date.now();
const wall = (zone: string | null, at: number) => dayIn(zone, new Date(at));

const reader = {
  summary: fetchSummary,
  freshness: fetchFreshness,
  page: fetchPage,
  ratings: fetchRatings,
  isViewOff: isViewOffOrFilling,
};

const store = new LiveStore(
  {
    openStream: (handlers, products) => openEventStream(eventsUrl, handlers, products),
    loadSnapshot: (showing, minutes, signal) => loadSnapshot(reader, showing, minutes, wall, clock, signal),
    loadSlice: ({ period, narrowing }, { anchor, kept }, signal) =>
      loadSlice(reader, narrowing, firstNeeded(period, anchor), kept, signal),
    loadMinutesBefore: ({ anchor, timeZone }, signal) => loadMinutesBefore(reader, anchor, timeZone, signal),
    isKept: async (view) => (await fetchFreshness()).views.some((kept) => kept.view === view),
    scheduler: frameScheduler,
    clock,
    wall,
    watchDay,
    delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  },
  { period: periodInAddress(), narrowing: narrowingInAddress() },
);
const queries = new QueryClient({
  // What is shown changes by events, never by time or by focus. The service may be on this very machine: that the browser
  // has no network says nothing of it.
  defaultOptions: { queries: { staleTime: Infinity, refetchOnWindowFocus: false, networkMode: "always" } },
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
await startI18n(preferredLanguage(storedLanguage(), navigator.languages));
watchSession();
store.start();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <LiveContext value={store}>
        <App />
      </LiveContext>
    </QueryClientProvider>
  </StrictMode>,
);

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { eventsUrl, fetchFreshness, fetchPage, fetchRatings, fetchSummary, isViewOff } from "./api/client";
import { App } from "./app/App";
import { periodInAddress } from "./app/address";
import { preferredLanguage, startI18n, storedLanguage } from "./i18n";
import { frameScheduler } from "./live/frame";
import { today } from "./live/period";
import { LiveContext } from "./live/react";
import { loadSnapshot } from "./live/snapshot";
import { LiveStore } from "./live/store";
import { openEventStream } from "./live/stream";
import "./styles/base.css";

const clock = () => Date.now();

const store = new LiveStore(
  {
    openStream: (handlers) => openEventStream(eventsUrl, handlers),
    loadSnapshot: (period, signal) =>
      loadSnapshot(
        { summary: fetchSummary, freshness: fetchFreshness, page: fetchPage, ratings: fetchRatings, isViewOff },
        period,
        today(),
        clock,
        signal,
      ),
    scheduler: frameScheduler,
    clock,
    wall: today,
    delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  },
  periodInAddress(),
);
const queries = new QueryClient({
  // What is shown changes by events, never by time or by focus.
  defaultOptions: { queries: { staleTime: Infinity, refetchOnWindowFocus: false } },
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
await startI18n(preferredLanguage(storedLanguage(), navigator.languages));
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

/** What is shown is in the page's address, so that reload, back and a shared link keep it. */
import { useCallback, useSyncExternalStore } from "react";
import { PERIODS, type Period } from "../live/period";

const CHANGED = "takings:address";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

const read = (name: string) => new URLSearchParams(window.location.search).get(name);

function write(name: string, value: string): void {
  const query = new URLSearchParams(window.location.search);
  if (query.get(name) === value) return;
  query.set(name, value);
  window.history.pushState(null, "", `?${query.toString()}`);
  window.dispatchEvent(new Event(CHANGED));
}

export function useAddress(name: "period" | "currency" | "best"): [string | null, (value: string) => void] {
  const value = useSyncExternalStore(subscribe, () => read(name));
  const set = useCallback((next: string) => { write(name, next); }, [name]);
  return [value, set];
}

/** The period of the address; the last 30 days where it names none. */
export const periodOf = (text: string | null): Period =>
  PERIODS.find((period) => period === text) ?? "30";

export const periodInAddress = (): Period => periodOf(read("period"));

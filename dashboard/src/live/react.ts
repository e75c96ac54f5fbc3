/** React's side of the live store. */
import { createContext, use, useSyncExternalStore } from "react";
import type { LiveSource } from "./calm";
import type { LiveState, LiveStore } from "./store";

export const LiveContext = createContext<LiveStore | null>(null);

/** The calmer time of what is inside, where it has one. */
export const CalmContext = createContext<LiveSource | null>(null);

export function useLiveStore(): LiveStore {
  const store = use(LiveContext);
  if (!store) throw new Error("the live store is missing: wrap the page in LiveContext");
  return store;
}

/** A part of the live state; renders again only when that part is another. `select` must not build new objects. */
export function useLive<T>(select: (state: LiveState) => T): T {
  const store = useLiveStore();
  const source = use(CalmContext) ?? store;
  return useSyncExternalStore(source.subscribe, () => select(source.getState()));
}

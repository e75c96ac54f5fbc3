/** Slower views of what changes every frame. */
import { useEffect, useRef, useState } from "react";
import type { View } from "../api/types";
import type { TableState } from "../live/store";

/** The value, at most once per `ms`; the last one always arrives. */
export function useCalm<T>(value: T, ms: number): T {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    latest.current = value;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      setShown(() => latest.current);
    }, ms);
  }, [value, ms]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return shown;
}

/** Charts redraw four times a second at most. A new ledger's table is passed on at once: it goes with its period. */
export function useCalmTable<V extends View>(state: TableState<V>): TableState<V> {
  const calm = useCalm(state, 250);
  return calm.table === state.table ? calm : state;
}

/** The time (ms), every `ms`. */
export function useNow(ms: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => { setNow(Date.now()); }, ms);
    return () => { clearInterval(timer); };
  }, [ms]);
  return now;
}

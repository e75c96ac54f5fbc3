/** Slower views of what changes every frame. */
import { useEffect, useRef, useState } from "react";

/** The value, at most once per `ms`; the last one always arrives. The first after a rest waits for `first` alone. */
export function useCalm<T>(value: T, ms: number, first = ms): T {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const shownAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    latest.current = value;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      shownAt.current = performance.now();
      setShown(() => latest.current);
    }, Math.max(first, shownAt.current + ms - performance.now()));
  }, [value, ms, first]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return shown;
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

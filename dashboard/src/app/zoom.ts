/** Days picked or dragged over in a chart become the period; a way back leads through those before it. */
import { useCallback, useEffect, useState } from "react";
import { rangeOf, type Period } from "../live/period";
import { useLive } from "../live/react";
import { move } from "./address";

interface Step {
  readonly from: Period;
  readonly to: Period;
}

export interface Zoom {
  readonly into: (first: string, last: string) => void;
  /** Null where the period shown was not zoomed into. */
  readonly back: (() => void) | null;
  readonly before: Period | null;
}

export function useZoom(): Zoom {
  const wanted = useLive((state) => state.wanted);
  const [steps, setSteps] = useState<readonly Step[]>([]);
  const last = steps.at(-1);
  // Another period was chosen elsewhere: there is nothing to go back from.
  const live = last?.to === wanted ? last : null;
  const into = useCallback(
    (first: string, end: string) => {
      const to = rangeOf(first, end);
      if (to === wanted) return;
      setSteps((known) => [...(known.at(-1)?.to === wanted ? known : []), { from: wanted, to }]);
      move({ period: to });
    },
    [wanted],
  );
  const from = live?.from ?? null;
  const back = useCallback(() => {
    setSteps((known) => known.slice(0, -1));
    move({ period: from });
  }, [from]);
  useEffect(() => {
    if (from === null) return;
    const escape = (event: KeyboardEvent) => {
      const inField = event.target instanceof HTMLElement && event.target.closest("input, select, [role=dialog], [role=listbox]");
      if (event.key === "Escape" && !event.defaultPrevented && !inField) back();
    };
    window.addEventListener("keydown", escape);
    return () => { window.removeEventListener("keydown", escape); };
  }, [from, back]);
  return { into, back: from === null ? null : back, before: from };
}

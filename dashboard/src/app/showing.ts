/** Asks the live store for what the address says, now and whenever it says something else. */
import { useEffect } from "react";
import { sameNarrowing } from "../live/holding";
import { periodOf } from "../live/period";
import { useLiveStore } from "../live/react";
import { useAddress, useNarrowing } from "./address";

export function useShowing(): void {
  const store = useLiveStore();
  const [periodText] = useAddress("period");
  const period = periodOf(periodText);
  const narrowing = useNarrowing();
  useEffect(() => {
    const { wanted, wantedNarrowing } = store.getState();
    if (wanted !== period || !sameNarrowing(wantedNarrowing, narrowing)) store.show({ period, narrowing });
  }, [store, period, narrowing]);
}

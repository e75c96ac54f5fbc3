/** Keeps the screen awake while the page is in sight, in browsers that can. */
import { useEffect } from "react";

export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let gone = false;
    const hold = async () => {
      if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      try {
        const held = await navigator.wakeLock.request("screen");
        // The browser lets it go by itself when the page is hidden.
        if (gone) await held.release();
        else lock = held;
      } catch {
        // Refused, on a battery that is low for example: the screen sleeps as it would without us.
      }
    };
    const seen = () => void hold();
    void hold();
    document.addEventListener("visibilitychange", seen);
    return () => {
      gone = true;
      document.removeEventListener("visibilitychange", seen);
      void lock?.release();
    };
  }, []);
}

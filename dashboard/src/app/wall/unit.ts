/** One measure for all of a wall, so that it fills any screen and never scrolls. */
import { useSyncExternalStore } from "react";

/** The screen that the wall is drawn for, in CSS pixels; on others all of it is larger or smaller. */
const WIDTH = 1_920;
const HEIGHT = 1_080;

const unit = () => Math.min(window.innerWidth / WIDTH, window.innerHeight / HEIGHT);

function subscribe(listener: () => void): () => void {
  window.addEventListener("resize", listener);
  return () => { window.removeEventListener("resize", listener); };
}

/** CSS pixels to a pixel of the wall: 1 at 1920 × 1080, 2 at 3840 × 2160. */
export const useUnit = (): number => useSyncExternalStore(subscribe, unit);

/** The turn of the day where the shop is. */
import { addDays, dayIn, dayStart } from "./period";

/** A machine that slept does not count its timers down: the clock is looked at again after this long. */
const LOOK_MS = 60_000;

/**
 * Calls `turned` at each turn of the day in `zone`; returns what ends it. `clock` says the time (ms), which may be set
 * while it is watched.
 */
export function watchDay(zone: string | null, clock: () => number, turned: () => void): () => void {
  let day = dayIn(zone, new Date(clock()));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = () => {
    const left = dayStart(addDays(day, 1), zone) - clock();
    timer = setTimeout(look, Math.min(Math.max(left, 0), LOOK_MS));
  };
  const look = () => {
    const now = dayIn(zone, new Date(clock()));
    if (now !== day) {
      day = now;
      turned();
    }
    arm();
  };
  arm();
  return () => { clearTimeout(timer); };
}

/** The turn of the day where the shop is. */
import { addDays, dayIn, dayStart } from "./period";

/** A machine that slept does not count its timers down: the clock is looked at again after this long. */
const LOOK_MS = 60_000;

/** Calls `turned` at each turn of the day by the clock of `zone`; returns what ends it. */
export function watchDay(zone: string | null, turned: () => void): () => void {
  let day = dayIn(zone);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = () => {
    const left = dayStart(addDays(day, 1), zone) - Date.now();
    timer = setTimeout(look, Math.min(Math.max(left, 0), LOOK_MS));
  };
  const look = () => {
    const now = dayIn(zone);
    if (now !== day) {
      day = now;
      turned();
    }
    arm();
  };
  arm();
  return () => { clearTimeout(timer); };
}

/** How far the numbers on the page can be trusted to be those of this moment. */
import type { LiveState } from "./store";

/**
 * - `live`: in contact, and something came in lately.
 * - `behind`: in contact, but the newest record counted was written a while before it was counted: the job is
 *   working through a backlog; or the page itself is loading a state it can not patch its way to, or has rested while
 *   nobody looked.
 * - `idle`: in contact, and nothing has come in for a while: nobody sells, or nothing counts any more. The page can not tell
 *   one from the other, and says neither.
 * - `lost`: no contact with the service, or none between the service and its store; the numbers are as old as they say.
 * - `starting`: nothing to show yet.
 */
export type Trust = "live" | "behind" | "idle" | "lost" | "starting";

/** Without news for longer than this, the page is idle. */
export const IDLE_AFTER_MS = 30_000;
/** A record counted later than this after it was written came out of a backlog. */
export const BEHIND_MS = 30_000;

export function trustOf(state: LiveState, now: number): Trust {
  if (state.contact === "lost" || state.contact === "away") return "lost";
  if (!state.ready) return "starting";
  if (state.frozen || state.contact === "resting") return "behind";
  const age = ageOf(state, now);
  const fresh = age !== null && age <= IDLE_AFTER_MS;
  if (!fresh) return "idle";
  return (state.backlog ?? 0) > BEHIND_MS ? "behind" : "live";
}

/**
 * The moment (ms) up to which sales were counted, by the server's clock; null before the first commit. It never follows the
 * clock alone: a quiet shop and a job that is dead look the same.
 */
export function countedUntil({ committedAt, backlog, newestRecord }: Pick<LiveState, "committedAt" | "backlog" | "newestRecord">): number | null {
  return (backlog ?? 0) > BEHIND_MS ? newestRecord : committedAt;
}

/** Milliseconds since the newest number shown was committed, by the server's clock; null before the first. */
export function ageOf(state: LiveState, now: number): number | null {
  if (state.committedAt === null) return null;
  return Math.max(0, now + state.clockSkew - state.committedAt);
}

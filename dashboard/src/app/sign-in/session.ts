/** Whether this browser may see the numbers. Asked for at the start, whenever the service has gone, and when it refuses. */
import { useSyncExternalStore } from "react";
import { fetchSession, onUnauthorised, signOut as takeBack } from "../../api/client";
import type { Session } from "../../api/types";

/** Until the service has said otherwise, no token is needed: the page does not wait for the answer. */
let session: Session = { needed: false, signed_in: false };
const listeners = new Set<() => void>();

function set(next: Session): void {
  if (next.needed === session.needed && next.signed_in === session.signed_in) return;
  session = next;
  for (const listener of listeners) listener();
}

let asking: Promise<void> | null = null;

/** Asks the service; what is asked for at once is asked once. Without an answer, what was known holds. */
export function askSession(): Promise<void> {
  asking ??= fetchSession()
    .then(set, () => undefined)
    .finally(() => {
      asking = null;
    });
  return asking;
}

/** To be called before anything is asked for. */
export function watchSession(): void {
  onUnauthorised(() => { set({ needed: true, signed_in: false }); });
  void askSession();
}

/** The page's numbers go with the session. */
export async function signOut(): Promise<void> {
  await takeBack();
  await askSession();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useSession = (): Session => useSyncExternalStore(subscribe, () => session);

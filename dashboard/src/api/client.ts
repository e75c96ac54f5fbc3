/** Reads the service's REST half. The only module that calls `fetch`. */
import type { Corrections, Fault, Freshness, Page, Summary, View } from "./types";

const BASE = "/api/v1";

/** An answer that was no success, in the service's own words. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null,
  ) {
    super(message);
  }
}

type Parameters = Record<string, string | number | null>;

async function get<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null) query.set(name, String(value));
  }
  const suffix = query.size > 0 ? `?${query.toString()}` : "";
  const answer = await fetch(`${BASE}/${path}${suffix}`, {
    headers: { accept: "application/json" },
    // The epoch is the ETag: always ask, and let a 304 save the body.
    cache: "no-cache",
    ...(signal ? { signal } : {}),
  });
  if (!answer.ok) throw await fault(answer);
  return (await answer.json()) as T;
}

async function fault(answer: Response): Promise<ApiError> {
  try {
    const { error } = (await answer.json()) as Fault;
    return new ApiError(answer.status, error.code, error.message, error.hint);
  } catch {
    return new ApiError(answer.status, "unreadable_answer", `HTTP ${answer.status}`, null);
  }
}

export const fetchSummary = (signal?: AbortSignal): Promise<Summary> => get("summary", {}, signal);

export const fetchFreshness = (signal?: AbortSignal): Promise<Freshness> =>
  get("freshness", {}, signal);

export const fetchCorrections = (limit: number, signal?: AbortSignal): Promise<Corrections> =>
  get("corrections", { limit }, signal);

/** True for the answer that the view is switched off where the job runs. */
export const isViewOff = (fault: unknown): boolean =>
  fault instanceof ApiError && fault.code === "view_off";

/** One page of a view, newest first. `from` is an ISO day, inclusive; `limit` at most 10,000. */
export const fetchPage = <V extends View>(
  view: V,
  parameters: { from: string | null; limit: number; cursor: string | null },
  signal?: AbortSignal,
): Promise<Page<V>> => get(view, parameters, signal);

export const eventsUrl = (lastEventId: number | null): string =>
  lastEventId === null ? `${BASE}/events` : `${BASE}/events?last_event_id=${lastEventId}`;

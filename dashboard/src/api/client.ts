/** Reads the service's REST half. The only module that calls `fetch`. */
import type {
  Audit,
  Catalogue,
  Corrections,
  Fault,
  Freshness,
  List,
  Listing,
  ListPage,
  ListParameters,
  Page,
  PageParameters,
  Ratings,
  Session,
  Summary,
  View,
} from "./types";

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

type Parameters = Record<string, string | number | null | undefined | readonly string[]>;

async function get<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null || value === undefined) continue;
    for (const each of typeof value === "object" ? value : [value]) query.append(name, String(each));
  }
  const suffix = query.size > 0 ? `?${query.toString()}` : "";
  const answer = await fetch(`${BASE}/${path}${suffix}`, {
    headers: { accept: "application/json", ...OURS },
    // The epoch is the ETag: always ask, and let a 304 save the body.
    cache: "no-cache",
    ...(signal ? { signal } : {}),
  });
  if (!answer.ok) throw await refused(answer);
  return (await answer.json()) as T;
}

/** Says that the page asks: the browser then opens no password box of its own, the page has one. */
const OURS = { "x-requested-with": "takings" };

const unauthorised = new Set<() => void>();

/** Calls the listener whenever an answer says that a token is needed. Returns how to end that. */
export function onUnauthorised(listener: () => void): () => void {
  unauthorised.add(listener);
  return () => unauthorised.delete(listener);
}

async function refused(answer: Response): Promise<ApiError> {
  if (answer.status === 401) for (const listener of unauthorised) listener();
  return fault(answer);
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

/** Which days are proven, in numbers, and what was found of the closed days, the newest first: a page of them. */
export const fetchAudit = (limit: number, cursor: string | null, signal?: AbortSignal): Promise<Audit> =>
  get("audit", { limit, cursor }, signal);

export const fetchCorrections = (limit: number, signal?: AbortSignal): Promise<Corrections> =>
  get("corrections", { limit }, signal);

/** One page of a list. */
export const fetchList = <L extends List>(
  list: L,
  parameters: ListParameters,
  limit: number,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<ListPage<L>> => get(list, { ...parameters, limit, cursor }, signal);

/** Whether a token is needed, and given. A service without sessions needs none. */
export async function fetchSession(): Promise<Session> {
  try {
    return await get<Session>("session", {});
  } catch (fault) {
    if (fault instanceof ApiError && fault.status === 404) return { needed: false, signed_in: false };
    throw fault;
  }
}

/** Gives the token; from then on the browser's cookie stands for it. */
export async function signIn(token: string): Promise<void> {
  const answer = await fetch(`${BASE}/session`, {
    method: "POST",
    headers: { "content-type": "application/json", ...OURS },
    body: JSON.stringify({ token }),
  });
  if (!answer.ok) throw await fault(answer);
}

export async function signOut(): Promise<void> {
  const answer = await fetch(`${BASE}/session`, { method: "DELETE", headers: OURS });
  if (!answer.ok) throw await fault(answer);
}

/** True for the answer that the view is switched off where the job runs. */
export const isViewOff = (fault: unknown): boolean =>
  fault instanceof ApiError && fault.code === "view_off";

/** The same, or it was switched on and is not filled from the log yet: then the stream says `reset` once it is. */
export const isViewOffOrFilling = (fault: unknown): boolean =>
  isViewOff(fault) || (fault instanceof ApiError && fault.code === "view_filling");

/** One page of a view, newest first; of best sellers, by rank. `limit` is at most 10,000. */
export const fetchPage = <V extends View>(
  view: V,
  parameters: PageParameters,
  signal?: AbortSignal,
): Promise<Page<V>> => get(view, { ...parameters }, signal);

/** The most rated products. */
export const fetchRatings = (limit: number, signal?: AbortSignal): Promise<Ratings> =>
  get("ratings_per_product", { limit }, signal);

/** The listings of these products, those that have one: at most 100. */
export const fetchListings = (
  products: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly rows: readonly Listing[] }> => get("products", { product: products, limit: 100 }, signal);

/** One page of all listings. */
export const fetchCatalogue = (limit: number, cursor: string | null, signal?: AbortSignal): Promise<Catalogue> =>
  get("products", { limit, cursor }, signal);

/** The address of the event stream: from an event on, and with the rows of these products beside all others. */
export function eventsUrl(lastEventId: string | null, products: readonly string[]): string {
  const query = new URLSearchParams(products.map((product) => ["product", product]));
  if (lastEventId !== null) query.set("last_event_id", lastEventId);
  return query.size > 0 ? `${BASE}/events?${query.toString()}` : `${BASE}/events`;
}

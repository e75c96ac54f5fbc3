/** What the service is asked for, and asked for again whenever there is something new. */
import { useQuery, type QueryKey, type UseQueryOptions, type UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";

/** How long answers to what is not asked any more are kept (ms). */
const KEPT_MS = 10_000;

type Options<T> = Pick<UseQueryOptions<T>, "enabled" | "retry" | "placeholderData" | "refetchInterval">;

/**
 * The answer to a question, at a version: a newer one asks again, but only once the question under way is answered. Else a
 * service that takes longer than the shop takes to sell something would be asked for ever and never heard. Another
 * question waits for nothing, and ends the one before.
 */
export function useAsked<T>(
  question: QueryKey,
  version: string | number,
  ask: (signal: AbortSignal) => Promise<T>,
  options: Options<T> = {},
): UseQueryResult<T> {
  const of = JSON.stringify(question);
  const [asked, setAsked] = useState({ of, version });
  const at = asked.of === of ? asked.version : version;
  const result = useQuery<T>({
    ...options,
    queryKey: [...question, at],
    queryFn: ({ signal }) => ask(signal),
    gcTime: KEPT_MS,
  });
  const next = result.isFetching ? at : version;
  if (asked.of !== of || asked.version !== next) setAsked({ of, version: next });
  return result;
}

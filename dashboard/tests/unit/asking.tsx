/** What components that ask the service stand in, and time for its answers. */
import { QueryClient, QueryClientProvider, type DefaultOptions } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";

/** Answers of its own for each test. */
export function asking(queries: DefaultOptions["queries"] = {}) {
  const client = new QueryClient({ defaultOptions: { queries } });
  return ({ children }: { children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}

/** Lets so much of the test's time pass (ms). */
export const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

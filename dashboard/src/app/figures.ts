/** What the page shows of the live state, in the shown period. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Streamed } from "../api/types";
import { useFormat } from "../i18n/format";
import { useLive } from "../live/react";
import type { Dimension, Narrowing } from "../live/holding";
import type { CurrencyInfo } from "../live/ledger";
import { spanOf, type Period, type Span } from "../live/period";
import type { LiveState } from "../live/store";
import { move, useAddress } from "./address";

type Views = NonNullable<LiveState["views"]>;

/** The views; only for what is rendered once the state is ready. */
export function useView<V extends keyof Views>(view: V): Views[V] {
  const state = useLive(({ views }) => views?.[view] ?? null);
  if (!state) throw new Error(`${view} was asked for before the first snapshot`);
  return state;
}

/** That the view is switched off, in words; null where it is on. */
export function useOff(view: Streamed): string | null {
  const { t } = useTranslation();
  const off = useLive((state) => state.off);
  return off.has(view) ? t("panel.off") : null;
}

/** Since when the view counts all, in words, where it does not count all that was ever in the log; else null. */
export function usePartial(view: string): string | null {
  const { t } = useTranslation();
  const format = useFormat();
  const day = useLive(({ completeFrom }) => completeFrom.get(view) ?? null);
  return day === null ? null : t("panel.partial", { day: format.day(day) });
}

export interface Shown {
  readonly period: Period;
  readonly span: Span;
  readonly anchor: string;
}

export function useShown(): Shown {
  const period = useLive((state) => state.period);
  const anchor = useLive((state) => state.anchor);
  return useMemo(() => ({ period, anchor, span: spanOf(period, anchor) }), [period, anchor]);
}

/** What the numbers shown are narrowed to: not yet what the address says, while that is loaded. */
export const useShownNarrowing = (): Narrowing => useLive((state) => state.narrowing);

/** The currencies in the order of their cards, and the one that the charts show. */
export function useCurrencies(): {
  readonly all: readonly CurrencyInfo[];
  readonly chosen: CurrencyInfo | null;
  readonly choose: (code: string) => void;
} {
  const all = useLive((state) => state.currencies);
  const [code, choose] = useAddress("currency");
  const chosen = all.find((currency) => currency.code === code) ?? all[0] ?? null;
  return { all, chosen, choose };
}

/** Another text whenever another set of numbers is shown: what changes with it has not changed by itself. */
export function useScope(currency: string): string {
  const { period } = useShown();
  const { category, payment_method, product } = useLive((state) => state.narrowing);
  return JSON.stringify([period, currency, category, payment_method, product]);
}

/** Narrows to the value, or, where it is what the address narrows to, takes that back. */
export function choose(dimension: Dimension, value: string, by: Narrowing): void {
  move({ [dimension]: by[dimension] === value ? null : value });
}

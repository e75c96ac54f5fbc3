/** What the page holds of what the address narrows to, and the words where it holds none of it. */
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Dimension } from "../../live/holding";
import { useNarrowed } from "../../live/narrowed";
import { useCalm } from "../calm";
import type { Source } from "./rows";

type Held = Source | { readonly missing: string | null };

/** Redrawn four times a second at most. `missing` is the view that would hold it, if there is one. */
export function useHeld(split: Dimension | null): Held {
  const narrowed = useNarrowed(split);
  const calm = useCalm(narrowed, 250);
  // Another table goes with another period or filter: at once.
  const now = "table" in calm && "table" in narrowed && calm.table === narrowed.table ? calm : narrowed;
  return useMemo(() => {
    if (!("table" in now)) return { missing: "switchable" in now.missing ? now.missing.switchable : null };
    const { table, keep, label } = now;
    return { view: table.view, entries: () => table.entries(), keep, label };
  }, [now]);
}

/** That nothing holds what is narrowed to, in words; `view` would, if it were switched on. */
export function useNotHeld(): (view: string | null) => string {
  const { t } = useTranslation();
  return useCallback((view) => (view === null ? t("tables.notHeld") : t("tables.notHeldNow", { view })), [t]);
}

/** Why nothing is shown, in words; null where something is. */
export function useMissing(held: Held): string | null {
  const words = useNotHeld();
  return "missing" in held ? words(held.missing) : null;
}

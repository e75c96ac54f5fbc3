/** What the page holds of what the address narrows to, and the words where it holds none of it. */
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Dimension } from "../../live/holding";
import { useNarrowed } from "../../live/narrowed";
import type { Source } from "./rows";

type Held = Source | { readonly missing: string | null };

/** `missing` is the view that would hold it, if there is one. */
export function useHeld(split: Dimension | null): Held {
  const narrowed = useNarrowed(split);
  return useMemo(() => {
    if (!("table" in narrowed)) return { missing: "switchable" in narrowed.missing ? narrowed.missing.switchable : null };
    const { table, keep, label } = narrowed;
    return { view: table.view, entries: () => table.entries(), keep, label };
  }, [narrowed]);
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

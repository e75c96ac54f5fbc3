/** Names of categories and payment methods as people read them. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

export interface Names {
  /** Null is an order's that names none: its product's listing says it. */
  readonly category: (category: string | null) => string;
  /** The method in the reader's language where we know it; else its code made readable: "Wave money". */
  readonly method: (method: string) => string;
}

export function useNames(): Names {
  const { t, i18n } = useTranslation();
  return useMemo(
    () => ({
      category: (category) => {
        if (category === null) return t("category.listed");
        return category === "unlisted" ? t("category.unlisted") : category;
      },
      method: (method) => {
        const key = `method.${method}`;
        return i18n.exists(key) ? t(key as "method.CASH") : readable(method);
      },
    }),
    [t, i18n],
  );
}

export function readable(code: string): string {
  if (!/^[A-Z0-9_]+$/.test(code)) return code;
  const words = code.replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

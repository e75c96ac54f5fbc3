/** What a correction changed, before and after, in words. */
import { useTranslation } from "react-i18next";
import type { Correction, OrderVersion } from "../api/types";
import { useFormat } from "../i18n/format";
import { parseAmount } from "../live/amount";
import { unmarked } from "../live/mark";
import { useLive } from "../live/react";
import { ArrowIcon } from "../ui/icons";
import styles from "./Difference.module.css";
import { useNames } from "./names";
import { differing, type VersionColumn } from "./versions";

const LABEL = {
  amount: "table.amount",
  order_date: "table.day",
  product: "table.product",
  category: "table.category",
  payment_method: "table.method",
  units: "table.units",
} as const;

interface Props {
  readonly correction: Pick<Correction, "was" | "now">;
  /** Where there is room for one line: the amount where it differs, else the first column that does. */
  readonly first?: boolean;
}

export function Difference({ correction, first = false }: Props) {
  const { t } = useTranslation();
  const text = useVersionText();
  const { was = null, now = null } = correction;
  const all = differing(correction);
  const columns = first ? all.slice(0, 1) : all;
  return (
    <span className={`${styles.all ?? ""} number`} {...unmarked("correction")}>
      {columns.map((column) => (
        <span key={column} className={styles.one}>
          {(columns.length > 1 || column !== "amount") && <span className={styles.label}>{t(LABEL[column])}</span>}
          {was && (
            <del>
              <span className="hidden">{t("correction.from", { value: "" })}</span>
              {text(was, column)}
            </del>
          )}
          {now && (
            <>
              <ArrowIcon />
              <ins>
                <span className="hidden">{t("correction.to", { value: "" })}</span>
                {text(now, column)}
              </ins>
            </>
          )}
        </span>
      ))}
    </span>
  );
}

function useVersionText(): (version: OrderVersion, column: VersionColumn) => string {
  const format = useFormat();
  const names = useNames();
  const currencies = useLive((state) => state.currencies);
  return (version, column) => {
    switch (column) {
      case "amount": {
        const minorUnits = currencies.find(({ code }) => code === version.currency)?.minorUnits ?? null;
        return format.money(parseAmount(version.amount), version.currency, minorUnits);
      }
      case "order_date":
        return format.day(version.order_date);
      case "product":
        return version.product ?? "–";
      case "category":
        return names.category(version.category ?? null);
      case "payment_method":
        return names.method(version.payment_method);
      case "units":
        return format.count(version.units);
    }
  };
}

import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import { ShareBar } from "../charts/ShareBar";
import type { CurrencyInfo } from "../live/ledger";
import { perLabel } from "../live/totals";
import { Panel } from "../ui/Panel";
import { useCalmTable } from "./calm";
import { useOff, useShown, useView } from "./figures";

export function MethodPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const { span, period } = useShown();
  const { code } = currency;
  const methods = useCalmTable(useView("sales_per_payment_method"));
  const sums = useMemo(() => perLabel(methods.table, code, span), [methods, code, span]);
  const nameOf = useMethodName();
  const title = t("panel.perMethod");
  return (
    <Panel title={title} note={code} missing={useOff("sales_per_payment_method")}>
      <ShareBar sums={sums} />
      <BarTable
        caption={`${title}, ${code}`}
        heading={t("table.method")}
        sums={sums}
        nameOf={nameOf}
        currency={currency}
        scope={`${period} ${code}`}
        first={7}
      />
    </Panel>
  );
}

/** The method in the reader's language where we know it; else its code made readable: "Wave money". */
function useMethodName(): (method: string) => string {
  const { t, i18n } = useTranslation();
  return (method) => {
    const key = `method.${method}`;
    return i18n.exists(key) ? t(key as "method.CASH") : readable(method);
  };
}

function readable(code: string): string {
  if (!/^[A-Z0-9_]+$/.test(code)) return code;
  const words = code.replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

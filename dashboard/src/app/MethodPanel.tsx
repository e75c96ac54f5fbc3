import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import { ShareBar } from "../charts/ShareBar";
import type { CurrencyInfo } from "../live/ledger";
import { perLabel } from "../live/totals";
import { Panel } from "../ui/Panel";
import { useCalmTable } from "./calm";
import { useOff, usePartial, useShown, useView } from "./figures";
import { useNames } from "./names";

export function MethodPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const { span, period } = useShown();
  const { code } = currency;
  const methods = useCalmTable(useView("sales_per_payment_method"));
  const sums = useMemo(() => perLabel(methods.table, code, span), [methods, code, span]);
  const { method: nameOf } = useNames();
  const title = t("panel.perMethod");
  return (
    <Panel title={title} note={code} missing={useOff("sales_per_payment_method")} partial={usePartial("sales_per_payment_method")}>
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

import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import type { CurrencyInfo } from "../live/ledger";
import { perLabel } from "../live/totals";
import { Panel } from "../ui/Panel";
import { useCalmTable } from "./calm";
import { useOff, usePartial, useShown, useView } from "./figures";
import { useNames } from "./names";

export function CategoryPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const { span, period } = useShown();
  const { code } = currency;
  const categories = useCalmTable(useView("sales_per_category"));
  const sums = useMemo(() => perLabel(categories.table, code, span), [categories, code, span]);
  const { category: nameOf } = useNames();
  const title = t("panel.perCategory");
  return (
    <Panel title={title} note={code} missing={useOff("sales_per_category")} partial={usePartial("sales_per_category")}>
      <BarTable
        caption={`${title}, ${code}`}
        heading={t("table.category")}
        sums={sums}
        nameOf={nameOf}
        currency={currency}
        scope={`${period} ${code}`}
        first={8}
      />
    </Panel>
  );
}

import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import { ShareBar } from "../charts/ShareBar";
import { perCurrency } from "../live/totals";
import { Panel } from "../ui/Panel";
import { useCurrencies, usePartial, useScope, useShown } from "./figures";
import { Unheld } from "./filters/Unheld";
import { markOfPart, useNarrow } from "./narrowing";

/** Of all the rows that are shown at first, so that nothing moves when there are fewer. */
const HEIGHT = 175;

/** How the orders, never the money, are shared among the currencies. */
export function CurrencyPanel() {
  const { t } = useTranslation();
  const { span } = useShown();
  const { all, choose } = useCurrencies();
  const { part, missing } = useNarrow(null);
  const sums = useMemo(() => {
    const sold = part ? perCurrency(part, span) : new Map<string, never>();
    return all
      .flatMap(({ code }) => {
        const sum = sold.get(code);
        return sum ? [{ label: code, ...sum }] : [];
      })
      .sort((a, b) => b.orders - a.orders || (a.label < b.label ? -1 : 1));
  }, [part, span, all]);
  const title = t("panel.perCurrency");
  return (
    <Panel
      height={HEIGHT}
      title={title}
      missing={missing && <Unheld split={null} missing={missing} />}
      partial={usePartial(part?.view ?? "sales_per_day")}
    >
      <ShareBar parts={sums.map(({ label, orders }) => ({ label, size: BigInt(orders) }))} nameOf={(code) => code} onChoose={choose} />
      <BarTable
        caption={title}
        heading={t("filter.currency")}
        sums={sums}
        nameOf={(code) => code}
        currency={null}
        scope={useScope("")}
        markOf={(code, column) => markOfPart(part, column, span, { currency: code })}
        first={6}
        onChoose={choose}
      />
    </Panel>
  );
}

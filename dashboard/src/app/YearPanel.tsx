import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import type { CurrencyInfo } from "../live/ledger";
import { rangeOfPart, yearsOf } from "../live/months";
import { Panel } from "../ui/Panel";
import { move } from "./address";
import { usePartial, useScope } from "./figures";
import { Unheld } from "./filters/Unheld";
import { useMonths } from "./months";

/** Of all the rows that are shown at first, so that nothing moves when there are fewer. */
const HEIGHT = 110;

export function YearPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const { code } = currency;
  const { months, view, missing, markOfInside, markOfWhole } = useMonths(code);
  const years = useMemo(() => yearsOf(months).toReversed(), [months]);
  const sums = useMemo(() => years.map(({ part, inside }) => ({ label: part, ...inside })), [years]);
  const wholes = useMemo(
    () => new Map(years.flatMap(({ part, whole }) => (whole ? [[part, whole.micros] as const] : []))),
    [years],
  );
  const title = t("panel.perYear");
  return (
    <Panel height={HEIGHT} title={title} note={code} missing={missing && <Unheld split={null} missing={missing} />} partial={usePartial(view)}>
      <BarTable
        caption={`${title}, ${code}`}
        heading={t("table.year")}
        sums={sums}
        nameOf={(year) => year}
        currency={currency}
        scope={useScope(code)}
        markOf={markOfInside}
        first={5}
        beside={wholes.size > 0 ? { heading: t("month.allYear"), wholes, markOf: markOfWhole } : "nothing"}
        onChoose={(year) => { move({ period: rangeOfPart(year) }); }}
      />
    </Panel>
  );
}

import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import type { CurrencyInfo } from "../live/ledger";
import { Panel } from "../ui/Panel";
import { useNarrowing } from "./address";
import { useBest } from "./best";
import { choose, usePartial, useScope } from "./figures";
import { Unheld } from "./filters/Unheld";
import { useProductNames } from "./listings";

/** Of all the rows that are shown at first, so that nothing moves when there are fewer. */
const HEIGHT = 396;

export function BestPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const { code } = currency;
  const by = useNarrowing();
  const { sums, missing, failed, loading, view, markOf } = useBest(code);
  const nameOf = useProductNames(useMemo(() => sums.map(({ label }) => label), [sums]));
  const title = t("panel.best");
  const none = failed ? t("panel.bestFailed") : loading ? t("tables.loading") : null;
  return (
    <Panel
      height={HEIGHT}
      title={title}
      note={code}
      missing={missing ? <Unheld split="product" missing={missing} /> : sums.length === 0 ? none : null}
      partial={usePartial(view)}
    >
      <BarTable
        caption={`${title}, ${code}`}
        heading={t("table.product")}
        sums={sums}
        nameOf={nameOf}
        currency={currency}
        scope={useScope(code)}
        first={10}
        beside="nothing"
        markOf={markOf}
        onChoose={(product) => { choose("product", product, by); }}
        chosen={by.product}
      />
    </Panel>
  );
}

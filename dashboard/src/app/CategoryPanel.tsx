import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import type { CurrencyInfo } from "../live/ledger";
import { perLabel } from "../live/totals";
import { Panel } from "../ui/Panel";
import { useNarrowing } from "./address";
import { choose, usePartial, useScope, useShown } from "./figures";
import { Unheld } from "./filters/Unheld";
import { useNames } from "./names";
import { markOfPart, useNarrow } from "./narrowing";

/** Of all the rows that are shown at first, so that nothing moves when there are fewer. */
const HEIGHT = 358;

export function CategoryPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const { span } = useShown();
  const { code } = currency;
  const by = useNarrowing();
  const { part, missing } = useNarrow("category");
  const sums = useMemo(() => (part ? perLabel(part, code, span, part.label) : []), [part, code, span]);
  const { category: nameOf } = useNames();
  const title = t("panel.perCategory");
  return (
    <Panel
      height={HEIGHT}
      title={title}
      note={code}
      missing={missing && <Unheld split="category" missing={missing} />}
      partial={usePartial(part?.view ?? "sales_per_category")}
    >
      <BarTable
        caption={`${title}, ${code}`}
        heading={t("table.category")}
        sums={sums}
        nameOf={nameOf}
        currency={currency}
        scope={useScope(code)}
        markOf={(label, column) => markOfPart(part, column, span, { currency: code, category: label })}
        first={8}
        onChoose={(label) => { choose("category", label, by); }}
        chosen={by.category}
      />
    </Panel>
  );
}

import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import { ShareBar } from "../charts/ShareBar";
import type { CurrencyInfo } from "../live/ledger";
import { perLabel } from "../live/totals";
import { Panel } from "../ui/Panel";
import { useNarrowing } from "./address";
import { choose, usePartial, useScope, useShown } from "./figures";
import { Unheld } from "./filters/Unheld";
import { useNames } from "./names";
import { markOfPart, useNarrow } from "./narrowing";

/** Of all the rows that are shown at first, so that nothing moves when there are fewer. */
const HEIGHT = 245;

export function MethodPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const { span } = useShown();
  const { code } = currency;
  const by = useNarrowing();
  const { part, missing } = useNarrow("payment_method");
  const sums = useMemo(() => (part ? perLabel(part, code, span, part.label) : []), [part, code, span]);
  const { method: nameOf } = useNames();
  const title = t("panel.perMethod");
  const onChoose = (label: string) => { choose("payment_method", label, by); };
  return (
    <Panel
      height={HEIGHT}
      title={title}
      note={code}
      missing={missing && <Unheld split="payment_method" missing={missing} />}
      partial={usePartial(part?.view ?? "sales_per_payment_method")}
    >
      <ShareBar parts={sums.map(({ label, micros }) => ({ label, size: micros }))} nameOf={nameOf} onChoose={onChoose} />
      <BarTable
        caption={`${title}, ${code}`}
        heading={t("table.method")}
        sums={sums}
        nameOf={nameOf}
        currency={currency}
        scope={useScope(code)}
        markOf={(label, column) => markOfPart(part, column, span, { currency: code, payment_method: label })}
        first={7}
        onChoose={onChoose}
        chosen={by.payment_method}
      />
    </Panel>
  );
}

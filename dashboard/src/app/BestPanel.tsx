import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BarTable } from "../charts/BarTable";
import { useFormat } from "../i18n/format";
import type { CurrencyInfo } from "../live/ledger";
import { useLive } from "../live/react";
import { bestSellers } from "../live/totals";
import { Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { useAddress } from "./address";
import styles from "./BestPanel.module.css";
import { useCalmTable } from "./calm";
import { useOff, usePartial, useShown, useView } from "./figures";
import { useProductNames } from "./listings";

const SPANS = ["all", "month", "day"] as const;
type Span = (typeof SPANS)[number];

/** Best sellers of all time, or of the newest day or its month: the spans that the service ranks. */
export function BestPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { period } = useShown();
  const { code } = currency;
  const best = useCalmTable(useView("top_products"));
  const day = useLive((state) => state.bestDay);
  const [asked, choose] = useAddress("best");
  // Without a choice it follows the page: all time is all time, and of the others a month is the nearest.
  const span: Span = SPANS.find((each) => each === asked) ?? (period === "all" ? "all" : "month");
  const of = { all: "all", month: day.slice(0, 7), day }[span];
  const sums = useMemo(() => bestSellers(best.table, code, of), [best, code, of]);
  const nameOf = useProductNames(useMemo(() => sums.map(({ label }) => label), [sums]));
  const partial = usePartial("top_products");
  if (useOff("top_products") !== null) return null;
  const name = { all: t("period.all"), month: format.month(day.slice(0, 7)), day: format.day(day) };
  const short = { all: t("period.all"), month: format.monthShort(day.slice(0, 7)), day: format.dayShort(day) };
  const title = t("panel.best");
  return (
    <Panel title={title} note={`${code} · ${name[span]}`} partial={partial}>
      <div className={styles.choice}>
        <Segmented
          label={t("best.label")}
          name="best"
          options={SPANS.map((value) => ({ value, label: short[value], name: name[value] }))}
          value={span}
          onChange={choose}
        />
      </div>
      <BarTable
        caption={`${title}, ${code}, ${name[span]}`}
        heading={t("table.product")}
        sums={sums}
        nameOf={nameOf}
        currency={currency}
        scope={`${of} ${code}`}
        first={10}
        shares={false}
      />
    </Panel>
  );
}

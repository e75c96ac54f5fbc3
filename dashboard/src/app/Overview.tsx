import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { PRESETS } from "../live/period";
import { useLive } from "../live/react";
import { perDay } from "../live/totals";
import { Segmented } from "../ui/Segmented";
import { useAddress } from "./address";
import { useCalmTable } from "./calm";
import { BestPanel } from "./BestPanel";
import { CategoryPanel } from "./CategoryPanel";
import { CorrectionsPanel } from "./CorrectionsPanel";
import { DayPanel } from "./DayPanel";
import { useCurrencies, useShown, useView } from "./figures";
import { Headline } from "./Headline";
import { HourPanel } from "./HourPanel";
import { MethodPanel } from "./MethodPanel";
import { MonthPanel } from "./MonthPanel";
import styles from "./Overview.module.css";
import { RatingsPanel } from "./RatingsPanel";

export function Overview() {
  const { chosen } = useCurrencies();
  return (
    <>
      <PeriodBar />
      <Headline />
      {chosen && (
        <>
          <DayPanel currency={chosen} />
          <div className={styles.columns}>
            <div className={styles.column}>
              <CategoryPanel currency={chosen} />
              <BestPanel currency={chosen} />
              <MonthPanel currency={chosen} />
            </div>
            <div className={styles.column}>
              <MethodPanel currency={chosen} />
              <HourPanel currency={chosen} />
              <RatingsPanel />
              <CorrectionsPanel />
            </div>
          </div>
        </>
      )}
    </>
  );
}

function PeriodBar() {
  const { t } = useTranslation();
  const format = useFormat();
  const wanted = useLive((state) => state.wanted);
  const period = useLive((state) => state.period);
  const [, setPeriod] = useAddress("period");
  const range = useRange();
  return (
    <div className={styles.bar}>
      <h2 className={styles.title}>{t("overview.title")}</h2>
      {range && (
        <p className={styles.range}>
          {t("overview.range", { from: format.day(range.from), to: format.day(range.to) })}
        </p>
      )}
      <Segmented
        label={wanted === period ? t("period.label") : t("period.loading")}
        name="period"
        options={PRESETS.map((value) => ({ value, label: t(`period.${value}`) }))}
        value={wanted}
        busy={wanted !== period}
        onChange={setPeriod}
      />
    </div>
  );
}

/** The first and last day shown. */
function useRange(): { from: string; to: string } | null {
  const { span, anchor } = useShown();
  const days = useCalmTable(useView("sales_per_day"));
  return useMemo(() => {
    if (span.from !== null && span.to !== null) return { from: span.from, to: span.to };
    const shown = perDay(days.table, "", span, anchor);
    const from = shown[0]?.period;
    const to = shown.at(-1)?.period;
    return from !== undefined && to !== undefined ? { from, to } : null;
  }, [days, span, anchor]);
}

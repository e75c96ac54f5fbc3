import { useDeferredValue } from "react";
import { useTranslation } from "react-i18next";
import type { CurrencyInfo } from "../live/ledger";
import { BestPanel } from "./BestPanel";
import { CalendarPanel } from "./CalendarPanel";
import { CategoryPanel } from "./CategoryPanel";
import { CorrectionsPanel } from "./CorrectionsPanel";
import { CurrencyPanel } from "./CurrencyPanel";
import { DayPanel } from "./DayPanel";
import { useCurrencies } from "./figures";
import { FilterBar } from "./filters/FilterBar";
import { Headline } from "./Headline";
import { HourPanel } from "./HourPanel";
import { MethodPanel } from "./MethodPanel";
import { MonthPanel } from "./MonthPanel";
import styles from "./Overview.module.css";
import { RatingsPanel } from "./RatingsPanel";
import { YearPanel } from "./YearPanel";

export function Overview() {
  const { t } = useTranslation();
  const { chosen } = useCurrencies();
  // What is below the first screen is rendered in pieces, after the first numbers are painted.
  const below = useDeferredValue(true, false);
  return (
    <>
      <FilterBar title={t("overview.title")} />
      <Headline />
      {chosen && (
        <>
          <DayPanel currency={chosen} />
          {below && <Below currency={chosen} />}
        </>
      )}
    </>
  );
}

function Below({ currency }: { readonly currency: CurrencyInfo }) {
  return (
    <>
      <div className={styles.columns}>
        <div className={styles.column}>
          <CategoryPanel currency={currency} />
          <BestPanel currency={currency} />
          <MonthPanel currency={currency} />
          <YearPanel currency={currency} />
        </div>
        <div className={styles.column}>
          <MethodPanel currency={currency} />
          <CurrencyPanel />
          <HourPanel currency={currency} />
          <RatingsPanel />
          <CorrectionsPanel />
        </div>
      </div>
      <CalendarPanel currency={currency} />
    </>
  );
}

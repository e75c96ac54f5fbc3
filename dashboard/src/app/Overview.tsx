import { useDeferredValue } from "react";
import { useTranslation } from "react-i18next";
import type { CurrencyInfo } from "../live/ledger";
import { BestPanel } from "./BestPanel";
import { CalendarPanel } from "./CalendarPanel";
import { Calmly } from "./Calmly";
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
      <Calmly>
        <FilterBar title={t("overview.title")} />
      </Calmly>
      <Headline />
      {chosen && (
        <>
          <Calmly>
            <DayPanel currency={chosen} />
          </Calmly>
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
          <Calmly><CategoryPanel currency={currency} /></Calmly>
          <Calmly><BestPanel currency={currency} /></Calmly>
          <Calmly><MonthPanel currency={currency} /></Calmly>
          <Calmly><YearPanel currency={currency} /></Calmly>
        </div>
        <div className={styles.column}>
          <Calmly><MethodPanel currency={currency} /></Calmly>
          <Calmly><CurrencyPanel /></Calmly>
          <Calmly><HourPanel currency={currency} /></Calmly>
          <Calmly><RatingsPanel /></Calmly>
          <Calmly><CorrectionsPanel /></Calmly>
        </div>
      </div>
      <Calmly><CalendarPanel currency={currency} /></Calmly>
    </>
  );
}

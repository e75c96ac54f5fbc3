/** Which days: presets side by side, on a phone in a list, and any range. */
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import { isPreset, PRESETS, spanOf, type Period } from "../../live/period";
import { useLive } from "../../live/react";
import { CalendarIcon, ChevronIcon } from "../../ui/icons";
import { Segmented } from "../../ui/Segmented";
import { useAddress } from "../address";
import styles from "./PeriodChoice.module.css";

const RangeChoice = lazy(() => import("./RangeChoice"));

export function PeriodChoice() {
  const { t } = useTranslation();
  const wanted = useLive((state) => state.wanted);
  const period = useLive((state) => state.period);
  const [, choose] = useAddress("period");
  const range = useRangeText(wanted);
  const busy = wanted !== period;
  const label = t(busy ? "period.loading" : "period.label");
  const button = (
    <span className={styles.face}>
      <CalendarIcon />
      {range ?? t("period.range")}
    </span>
  );
  return (
    <div className={styles.choice}>
      <div className={styles.wide}>
        <Segmented
          label={label}
          name="period"
          options={PRESETS.map((value) => ({ value, label: t(`period.${value}`) }))}
          value={wanted}
          busy={busy}
          onChange={choose}
        />
      </div>
      <label className={styles.narrow} aria-busy={busy}>
        <span className="hidden">{label}</span>
        <select
          value={wanted}
          onChange={({ target }) => { choose(target.value); }}
        >
          {PRESETS.map((value) => (
            <option key={value} value={value}>
              {t(`period.${value}`)}
            </option>
          ))}
          {range !== null && <option value={wanted}>{range}</option>}
        </select>
        <ChevronIcon />
      </label>
      <Suspense fallback={<button type="button" className={styles.button} disabled>{button}</button>}>
        <RangeChoice className={`${styles.button ?? ""} ${range === null ? "" : (styles.set ?? "")}`} face={button} onChoose={choose} />
      </Suspense>
    </div>
  );
}

/** The chosen range in words; null where a preset is chosen. */
function useRangeText(period: Period): string | null {
  const format = useFormat();
  if (isPreset(period)) return null;
  const { from, to } = spanOf(period, "");
  return from !== null && to !== null ? format.range(from, to) : null;
}

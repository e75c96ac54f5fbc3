/** What is shown: the period, the currency, and what narrows them. All of it is in the address. */
import { lazy, Suspense, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import { sameNarrowing } from "../../live/holding";
import { useLive } from "../../live/react";
import { Pill } from "../../ui/Pill";
import { move, useNarrowing } from "../address";
import { useCurrencies } from "../figures";
import styles from "./FilterBar.module.css";
import { PeriodChoice } from "./PeriodChoice";
import { useShownDays } from "./days";
import { useValueNames } from "./words";

/** Their lists are a chunk of their own, asked for at once: until it is there, the pills stand in their places. */
const Narrowings = lazy(() => import("./Narrowings"));

interface Props {
  readonly title: string;
  /** Said beside the days that are shown. */
  readonly note?: ReactNode;
}

export function FilterBar({ title, note }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const days = useShownDays();
  const by = useNarrowing();
  const shown = useLive((state) => state.narrowing);
  const wanted = useLive((state) => state.wantedNarrowing);
  const isNarrow = by.category !== null || by.payment_method !== null || by.product !== null;
  return (
    <section className={styles.bar} aria-label={t("filter.label")}>
      <div className={styles.row}>
        <h2 className={styles.title}>{title}</h2>
        <p className={styles.days}>
          {days && format.range(days.from, days.to)}
          {note}
        </p>
        <PeriodChoice />
      </div>
      <div className={styles.row} aria-busy={!sameNarrowing(shown, wanted)}>
        <Suspense fallback={<Standing />}>
          <Narrowings />
        </Suspense>
        {isNarrow && (
          <button
            type="button"
            className={styles.clear}
            onClick={() => { move({ category: null, payment_method: null, product: null }); }}
          >
            {t("filter.clear")}
          </button>
        )}
      </div>
    </section>
  );
}

/** The pills before they can open. */
function Standing() {
  const { t } = useTranslation();
  const by = useNarrowing();
  const { chosen } = useCurrencies();
  const name = useValueNames();
  return (
    <>
      <Pill label={t("filter.currency")} value={chosen?.code ?? null} disabled />
      {(["category", "payment_method", "product"] as const).map((dimension) => {
        const value = by[dimension];
        return (
          <Pill
            key={dimension}
            label={t(`filter.${dimension}`)}
            value={value === null ? null : name(dimension, value)}
            disabled
          />
        );
      })}
    </>
  );
}

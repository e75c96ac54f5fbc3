/** What stands above the tables and the explanation: which view, which days, which currency, what narrows. */
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { isPreset, PRESETS, type Period } from "../live/period";
import { useLive } from "../live/react";
import { Segmented } from "../ui/Segmented";
import { move, useAddress, useNarrowing } from "./address";
import { useCurrencies, useShown } from "./figures";
import { useProductNames } from "./listings";
import { useNames } from "./names";
import styles from "./ViewBar.module.css";

export function ViewBar({ title }: { readonly title: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const wanted = useLive((state) => state.wanted);
  const period = useLive((state) => state.period);
  const [, setPeriod] = useAddress("period");
  const { all, chosen, choose } = useCurrencies();
  const { span } = useShown();
  const options: readonly Period[] = isPreset(wanted) ? PRESETS : [...PRESETS, wanted];
  return (
    <div className={styles.bar}>
      <h2 className={styles.title}>{title}</h2>
      {span.from !== null && span.to !== null && (
        <p className={styles.range}>
          {span.from === span.to
            ? format.weekday(span.from)
            : t("overview.range", { from: format.day(span.from), to: format.day(span.to) })}
        </p>
      )}
      <div className={styles.choices}>
        <Segmented
          label={wanted === period ? t("period.label") : t("period.loading")}
          name="period"
          options={options.map((value) => ({
            value,
            label: isPreset(value) ? t(`period.${value}`) : shortRange(value, format.dayShort),
          }))}
          value={wanted}
          busy={wanted !== period}
          onChange={setPeriod}
        />
        {chosen && all.length > 1 && (
          <Segmented
            label={t("currency.choose")}
            name="currency"
            options={all.map(({ code }) => ({ value: code, label: code }))}
            value={chosen.code}
            onChange={choose}
          />
        )}
      </div>
      <Narrowed />
    </div>
  );
}

const shortRange = (range: string, day: (text: string) => string): string => {
  const [from = "", to = ""] = range.split("..");
  return from === to ? day(from) : `${day(from)} – ${day(to)}`;
};

/** What narrows, each to be taken away. */
function Narrowed() {
  const { t } = useTranslation();
  const names = useNames();
  const { category, payment_method, product } = useNarrowing();
  const productName = useProductNames(product === null ? [] : [product]);
  const set = [
    ["category", category, category === null ? "" : names.category(category)],
    ["payment_method", payment_method, payment_method === null ? "" : names.method(payment_method)],
    ["product", product, product === null ? "" : productName(product)],
  ] as const;
  if (set.every(([, value]) => value === null)) return null;
  return (
    <ul className={styles.narrowed}>
      {set.map(([dimension, value, name]) =>
        value === null ? null : (
          <li key={dimension}>
            <button type="button" className={styles.chip} title={t("narrowed.remove", { name })} onClick={() => { move({ [dimension]: null }); }}>
              {name}
              <span aria-hidden="true">×</span>
            </button>
          </li>
        ),
      )}
    </ul>
  );
}

import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Sparkline } from "../charts/Sparkline";
import { useFormat } from "../i18n/format";
import type { CurrencyInfo } from "../live/ledger";
import { counted, NOTHING, perCurrency, perDay, type Sum } from "../live/totals";
import { Flash } from "../ui/Flash";
import { useCalmTable } from "./calm";
import { useCurrencies, useShown, useView } from "./figures";
import styles from "./Headline.module.css";

/** Orders and units of all; the total of each currency on a card of its own, never added up. */
export function Headline() {
  const { t } = useTranslation();
  const format = useFormat();
  const { span, period } = useShown();
  const days = useView("sales_per_day");
  const { all, chosen, choose } = useCurrencies();
  const sums = useMemo(() => perCurrency(days.table, span), [days, span]);
  const counts = counted(sums);
  return (
    <div className={styles.headline}>
      <dl className={styles.counts}>
        <div>
          <dt>{t("figure.orders")}</dt>
          <dd data-testid="orders">
            <Flash value={counts.orders} scope={period} text={format.count(counts.orders)} />
          </dd>
        </div>
        <div>
          <dt>{t("figure.units")}</dt>
          <dd data-testid="units">
            <Flash value={counts.units} scope={period} text={format.count(counts.units)} />
          </dd>
        </div>
      </dl>
      <fieldset className={styles.cards}>
        <legend className="hidden">{t("currency.choose")}</legend>
        {all.map((currency) => (
          <CurrencyCard
            key={currency.code}
            currency={currency}
            sum={sums.get(currency.code) ?? NOTHING}
            chosen={currency === chosen}
            onChoose={choose}
          />
        ))}
      </fieldset>
    </div>
  );
}

interface CardProps {
  readonly currency: CurrencyInfo;
  readonly sum: Sum;
  readonly chosen: boolean;
  readonly onChoose: (code: string) => void;
}

/** From this many characters on, an amount is set smaller, so that it stays on its card. */
const LONG = 16;
const VERY_LONG = 21;

function CurrencyCard({ currency, sum, chosen, onChoose }: CardProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { span, period, anchor } = useShown();
  const days = useCalmTable(useView("sales_per_day"));
  const series = useMemo(
    () => perDay(days.table, currency.code, span, anchor),
    [days, currency.code, span, anchor],
  );
  const total = format.money(sum.micros, currency.code, currency.minorUnits);
  const size = total.length >= VERY_LONG ? styles.smaller : total.length >= LONG ? styles.small : "";
  return (
    <label className={styles.card} data-testid={`currency-${currency.code}`}>
      <input
        type="radio"
        className="hidden"
        name="currency"
        value={currency.code}
        checked={chosen}
        onChange={() => { onChoose(currency.code); }}
      />
      <span className={styles.code}>{currency.code}</span>
      <Flash
        className={`${styles.total ?? ""} ${size ?? ""}`}
        value={sum.micros}
        scope={period}
        text={total}
      />
      <span className={`${styles.detail ?? ""} number`}>
        {t("figure.ordersCount", { count: sum.orders, number: format.count(sum.orders) })}
        {" · "}
        {t("figure.unitsCount", { count: sum.units, number: format.count(sum.units) })}
      </span>
      <Sparkline series={series} />
    </label>
  );
}

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

/** From this many characters in the longest amount on, all are set smaller, so that each stays on its card. */
const LONG = 18;
const VERY_LONG = 22;

/** Orders and units of all; the total of each currency on a card of its own, never added up. */
export function Headline() {
  const { t } = useTranslation();
  const format = useFormat();
  const { span, period } = useShown();
  const days = useView("sales_per_day");
  const { all, chosen, choose } = useCurrencies();
  const sums = useMemo(() => perCurrency(days.table, span), [days, span]);
  const counts = counted(sums);
  const cards = all.map((currency) => {
    const sum = sums.get(currency.code) ?? NOTHING;
    return { currency, sum, total: format.money(sum.micros, currency.code, currency.minorUnits) };
  });
  const longest = Math.max(...cards.map(({ total }) => total.length));
  const size = longest >= VERY_LONG ? styles.smaller : longest >= LONG ? styles.small : "";
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
        {cards.map(({ currency, sum, total }) => (
          <CurrencyCard
            key={currency.code}
            currency={currency}
            sum={sum}
            total={total}
            size={size ?? ""}
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
  /** The sum's amount, written out, and the class of its size. */
  readonly total: string;
  readonly size: string;
  readonly chosen: boolean;
  readonly onChoose: (code: string) => void;
}

function CurrencyCard({ currency, sum, total, size, chosen, onChoose }: CardProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { span, period, anchor } = useShown();
  const days = useCalmTable(useView("sales_per_day"));
  const series = useMemo(
    () => perDay(days.table, currency.code, span, anchor),
    [days, currency.code, span, anchor],
  );
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
        className={`${styles.total ?? ""} ${size}`}
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

import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Sparkline } from "../charts/Sparkline";
import { useFormat } from "../i18n/format";
import { minorUnitsOf } from "../i18n/money";
import { amountForPixels, averageOf } from "../live/amount";
import { changeOf, changeOfAverage, type Change } from "../live/comparison";
import { countsPerDay } from "../live/counts";
import type { CurrencyInfo } from "../live/ledger";
import { exactAverage } from "../live/mark";
import { addDays, covers, type Span } from "../live/period";
import { counted, NOTHING, perCurrency, perDay, type Sum } from "../live/totals";
import { Exact } from "../ui/Exact";
import { Explained } from "../ui/Explained";
import { Flash } from "../ui/Flash";
import { Moved } from "../ui/Moved";
import { useAgainst, useCompared, type Compared } from "./compared";
import { useCurrencies, useScope, useShown } from "./figures";
import { Unheld } from "./filters/Unheld";
import styles from "./Headline.module.css";
import { markOfPart, useCalmNarrow, useNarrow, type Column, type Part } from "./narrowing";

/** From this many characters in the longest amount on, all are set smaller, so that each stays on its card. */
const LONG = 18;
const VERY_LONG = 22;

/** Orders and units of all; the total of each currency on a card of its own, never added up. */
export function Headline() {
  const { part, missing } = useNarrow(null);
  const { part: calm } = useCalmNarrow(null);
  if (!part) {
    return (
      <div className={styles.missing}>
        <Unheld split={null} missing={missing} />
      </div>
    );
  }
  return <Figures part={part} calm={calm ?? part} />;
}

/** `calm` is the same part for the pictures, which redraw less often. */
function Figures({ part, calm }: { readonly part: Part; readonly calm: Part }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { span } = useShown();
  const { all, chosen, choose } = useCurrencies();
  const sums = useMemo(() => perCurrency(part, span), [part, span]);
  const counts = counted(sums);
  const scope = useScope("");
  const compared = useCompared(calm);
  const against = useAgainst(compared?.comparison ?? null);
  const lead = useLead(calm);
  const daily = useMemo(() => {
    const days = countsPerDay(calm, lead);
    return { orders: days.map(({ orders }) => orders), units: days.map(({ units }) => units) };
  }, [calm, lead]);
  const cards = all.map((currency) => {
    const sum = sums.get(currency.code) ?? NOTHING;
    return { currency, sum, total: format.money(sum.micros, currency.code, currency.minorUnits) };
  });
  const longest = Math.max(...cards.map(({ total }) => total.length));
  const size = longest >= VERY_LONG ? styles.smaller : longest >= LONG ? styles.small : "";
  return (
    <div className={styles.headline}>
      <dl className={styles.counts}>
        {(["orders", "units"] as const).map((name) => (
          <div key={name}>
            <dt>{t(`figure.${name}`)}</dt>
            <dd>
              <span data-testid={name}>
                <Made of={all}>
                  <Flash value={counts[name]} scope={scope} text={format.count(counts[name])} of={markOfPart(part, name, span)} />
                </Made>
              </span>
              <Moved change={countChange(compared, name)} against={against} />
            </dd>
            <dd className={styles.spark}>
              <Sparkline values={daily[name]} shape="line" />
            </dd>
          </div>
        ))}
      </dl>
      <fieldset className={styles.cards}>
        <legend className="hidden">{t("currency.choose")}</legend>
        {cards.map(({ currency, sum, total }) => (
          <CurrencyCard
            key={currency.code}
            currency={currency}
            part={calm}
            sum={sum}
            total={total}
            size={size ?? ""}
            compared={compared}
            against={against}
            chosen={currency === chosen}
            onChoose={choose}
          />
        ))}
      </fieldset>
    </div>
  );
}

/** What made a count is told of one currency: of counts over several, each card's total leads there. */
function Made({ of, children }: { readonly of: readonly CurrencyInfo[]; readonly children: ReactNode }) {
  return of.length === 1 ? <Explained to={{}}>{children}</Explained> : children;
}

/** So many days lead up to a single one, whose line would be a dot. */
const LEAD = 14;

/** The days whose shape is drawn beside the numbers: those shown; up to a single one, those before it, where held. */
function useLead({ from: held }: Part): Span {
  const { span } = useShown();
  return useMemo(() => {
    const { from, to } = span;
    if (from === null || from !== to) return span;
    const first = addDays(from, 1 - LEAD);
    return covers(held, first) ? { from: first, to } : span;
  }, [span, held]);
}

function countChange(compared: Compared | null, name: "orders" | "units"): Change {
  if (!compared) return null;
  return changeOf(BigInt(counted(compared.now)[name]), BigInt(counted(compared.before)[name]));
}

interface CardProps {
  readonly currency: CurrencyInfo;
  readonly part: Part;
  readonly sum: Sum;
  /** The sum's amount, written out, and the class of its size. */
  readonly total: string;
  readonly size: string;
  readonly compared: Compared | null;
  readonly against: string;
  readonly chosen: boolean;
  readonly onChoose: (code: string) => void;
}

function CurrencyCard({ currency, part, sum, total, size, compared, against, chosen, onChoose }: CardProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { code, minorUnits } = currency;
  const { anchor, span } = useShown();
  const scope = useScope(code);
  const lead = useLead(part);
  const series = useMemo(() => perDay(part, code, lead, anchor), [part, code, lead, anchor]);
  const digits = minorUnitsOf(code, minorUnits);
  const mark = (column: Column | "average") => markOfPart(part, column, span, { currency: code });
  const average = averageOf(sum.micros, sum.orders, digits);
  const [now, before] = [compared?.now.get(code) ?? NOTHING, compared?.before.get(code) ?? NOTHING];
  const totals = useMemo(() => series.map(({ micros }) => amountForPixels(micros)), [series]);
  const averages = useMemo(
    () => series.filter(({ orders }) => orders > 0).map(({ micros, orders }) => amountForPixels(micros) / orders),
    [series],
  );
  return (
    <label className={styles.card} data-testid={`currency-${code}`} title={t("currency.only", { code })}>
      <input
        type="radio"
        className="hidden"
        name="currency"
        value={code}
        checked={chosen}
        onChange={() => { onChoose(code); }}
      />
      <span className={styles.code}>{code}</span>
      <span className={`${styles.total ?? ""} ${size}`}>
        <Explained to={{ currency: code }}>
          <Flash value={sum.micros} scope={scope} text={total} of={mark("total_sales")} />
        </Explained>
      </span>
      <span className={styles.moved}>
        <Moved change={compared && changeOf(now.micros, before.micros)} against={against} />
      </span>
      <span className={styles.detail}>
        <Exact of={mark("orders")} value={sum.orders} text={t("figure.ordersCount", { count: sum.orders, number: format.count(sum.orders) })} />
        {" · "}
        <Exact of={mark("units")} value={sum.units} text={t("figure.unitsCount", { count: sum.units, number: format.count(sum.units) })} />
      </span>
      <span className={styles.average} data-testid={`average-${code}`}>
        <span>{t("figure.average")}</span>
        <Flash
          value={average === null ? 0n : exactAverage(sum.micros, sum.orders, average)}
          scope={scope}
          text={average === null ? "–" : format.money(average, code, minorUnits)}
          of={average === null ? undefined : mark("average")}
        />
        <Moved change={compared && changeOfAverage(now, before)} against={against} />
        <Sparkline values={averages} shape="line" />
      </span>
      <Sparkline values={totals} shape="ground" />
    </label>
  );
}

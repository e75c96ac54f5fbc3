/**
 * The totals of each currency, as large as they fit, each with its change against the period before; of one alone, where
 * the address names it.
 */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Sparkline } from "../../charts/Sparkline";
import { useFormat } from "../../i18n/format";
import { amountForPixels } from "../../live/amount";
import type { CurrencyInfo } from "../../live/ledger";
import { markOf } from "../../live/mark";
import { useNarrowed } from "../../live/narrowed";
import { changeOf } from "../../live/comparison";
import { counted, NOTHING, perCurrency, perDay, type Sum } from "../../live/totals";
import { useLive } from "../../live/react";
import { Flash } from "../../ui/Flash";
import { Moved } from "../../ui/Moved";
import { useAddress } from "../address";
import { Calmly } from "../Calmly";
import { useAgainst, useCompared } from "../compared";
import { useCurrencies, useShown } from "../figures";
import { useCalmNarrow } from "../narrowing";
import styles from "./Wall.module.css";

/** Cards in a row, and in all: those with the most orders. */
const ROW = 3;
const MOST = 6;
/** What all cards of a row have to themselves, and the largest type on them, in em. */
const WIDTH = 90;
const LARGEST = { 1: 9, 2: 6.2, 3: 5 } as const;
/** How wide a character is, at most, to the size of its type. */
const CHARACTER = 0.59;

export function WallTotals() {
  const { t } = useTranslation();
  const format = useFormat();
  const { span, period } = useShown();
  const narrowed = useNarrowed(null);
  const narrowing = useLive((state) => state.narrowing);
  const [asked] = useAddress("currency");
  const { all, chosen } = useCurrencies();
  const { part } = useCalmNarrow(null);
  const compared = useCompared(part);
  const against = useAgainst(compared?.comparison ?? null);
  const sums = useMemo(
    () => ("missing" in narrowed ? new Map<string, typeof NOTHING>() : perCurrency(narrowed.table, span)),
    [narrowed, span],
  );
  if ("missing" in narrowed) return <p className={styles.missing}>{t("wall.missing")}</p>;
  const { view } = narrowed.table;
  const shown = asked !== null && chosen ? [chosen] : all.slice(0, MOST);
  const counts = counted(asked !== null && chosen ? new Map([[chosen.code, sums.get(chosen.code) ?? NOTHING]]) : sums);
  const rows = { ...span, ...narrowing, currency: asked !== null ? (chosen?.code ?? null) : null };
  const columns = shown.length === 4 ? 2 : Math.min(shown.length, ROW);
  const texts = shown.map(({ code, minorUnits }) => format.money((sums.get(code) ?? NOTHING).micros, code, minorUnits));
  const longest = Math.max(...texts.map((text) => text.length), 1);
  const largest = LARGEST[columns as 1 | 2 | 3] / (shown.length > ROW ? 1.5 : 1);
  const size = Math.min(largest, (WIDTH / columns - 4) / (longest * CHARACTER));
  const scope = `${period} ${JSON.stringify(narrowing)}`;
  const sumOf = (sold: ReadonlyMap<string, Sum>, { code }: CurrencyInfo) => (sold.get(code) ?? NOTHING).micros;
  return (
    <section className={styles.totals}>
      <dl className={styles.counts}>
        {(["orders", "units"] as const).map((column) => (
          <div key={column}>
            <dt>{t(`figure.${column}`)}</dt>
            <dd data-testid={column}>
              <Flash value={counts[column]} scope={scope} text={format.count(counts[column])} of={markOf(view, column, rows)} />
            </dd>
          </div>
        ))}
      </dl>
      <div className={styles.cards} style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
        {shown.map((currency, at) => (
          <div key={currency.code} className={styles.card} data-testid={`currency-${currency.code}`}>
            <h2>{currency.code}</h2>
            <p style={{ fontSize: `${size.toFixed(2)}em` }}>
              <Flash
                value={(sums.get(currency.code) ?? NOTHING).micros}
                scope={scope}
                text={texts[at] ?? ""}
                of={markOf(view, "total_sales", { ...span, ...narrowing, currency: currency.code })}
              />
            </p>
            <span className={styles.change}>
              <Moved change={compared && changeOf(sumOf(compared.now, currency), sumOf(compared.before, currency))} against={against} />
            </span>
            <Calmly><Days currency={currency} /></Calmly>
          </div>
        ))}
      </div>
    </section>
  );
}

function Days({ currency: { code } }: { readonly currency: CurrencyInfo }) {
  const { span, anchor } = useShown();
  const narrowed = useNarrowed(null);
  const series = useMemo(
    () => ("missing" in narrowed ? [] : perDay(narrowed.table, code, span, anchor).map(({ micros }) => amountForPixels(micros))),
    [narrowed, code, span, anchor],
  );
  return <Sparkline values={series} shape="ground" />;
}

import { Fragment, useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import type { Dimension, DayView } from "../../live/holding";
import type { CurrencyInfo } from "../../live/ledger";
import { markOf, unmarked, type Rows } from "../../live/mark";
import { Exact } from "../../ui/Exact";
import { Flash } from "../../ui/Flash";
import { useCurrencies, useShown, useShownNarrowing, useView } from "../figures";
import { useProductNames } from "../listings";
import { useNames } from "../names";
import { useMissing, useHeld } from "../tables/held";
import type { Row } from "../tables/rows";
import { FilterBar } from "../filters/FilterBar";
import { Corrections } from "./Corrections";
import styles from "./Explain.module.css";
import { useMade, type Missing, type Told } from "./made";
import { Orders } from "./Orders";
import { Parts, type Part } from "./Parts";
import { Products } from "./Products";

/** From a total to what made it, and to what changed it. */
export default function Explain() {
  const { t } = useTranslation();
  const { chosen } = useCurrencies();
  return (
    <>
      <FilterBar title={t("explain.title")} />
      {chosen === null ? <p>{t("empty.text")}</p> : <Explanation currency={chosen} />}
    </>
  );
}

function Explanation({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const format = useFormat();
  const names = useNames();
  const { code, minorUnits } = currency;
  const { span, period } = useShown();
  const { category, payment_method, product } = useShownNarrowing();
  const made = useMade(code);
  const missing = useMissing(useHeld(null));
  const of = useWords();
  const mark: Mark = (view, rows) => (column) =>
    markOf(view, column, { ...span, currency: code, category, payment_method, product, ...rows });
  const scope = [period, code, category, payment_method, product].join("|");
  const heading = useKeptFocus(scope);
  const [first, last] = useBounds(made.days);
  const parameters = { currency: code, category, payment_method, product };
  return (
    <>
      <section className={styles.total} aria-labelledby="explained">
        <h3 id="explained" ref={heading} tabIndex={-1} className={styles.of}>
          {of}
        </h3>
        {made.total === null ? (
          <p>{missing}</p>
        ) : (
          <>
            <p className={styles.amount} data-testid="explained">
              <Flash
                value={made.total.micros}
                scope={scope}
                text={format.money(made.total.micros, code, minorUnits)}
                of={mark(made.view, {})("total_sales")}
              />
            </p>
            <p className={styles.counts}>
              {(["orders", "units"] as const).map((column) => {
                const count = made.total?.[column] ?? 0;
                const text = t(`figure.${column}Count`, { count, number: format.count(count) });
                return (
                  <Fragment key={column}>
                    <Exact of={mark(made.view, {})(column)} value={count} text={text} />
                    {" · "}
                  </Fragment>
                );
              })}
              <span className="number" {...unmarked("epoch")}>
                {t("explain.epoch", { epoch: made.epoch })}
              </span>
            </p>
          </>
        )}
      </section>
      {made.total !== null && (
        <div className={styles.columns}>
          <div className={styles.column}>
            {span.from !== null && span.from === span.to ? null : (
              <Parts
                title={t("explain.days")}
                heading={t("table.day")}
                noun="days"
                parts={(made.days ?? []).map((row) => ({
                  ...row,
                  name: format.weekday(row.period),
                  to: { period: `${row.period}..${row.period}` },
                  mark: mark(made.view, { from: row.period, to: row.period }),
                }))}
                made={made}
                currency={currency}
                scope={scope}
              />
            )}
            {product === null && <Products made={made} currency={currency} scope={scope} />}
          </div>
          <div className={styles.column}>
            {category === null && (
              <Parts
                title={t("explain.categories")}
                heading={t("table.category")}
                noun="categories"
                parts={partsOf(made.categories, "category", names.category, mark)}
                made={made}
                currency={currency}
                scope={scope}
              />
            )}
            {payment_method === null && (
              <Parts
                title={t("explain.methods")}
                heading={t("table.method")}
                noun="methods"
                parts={partsOf(made.methods, "payment_method", names.method, mark)}
                made={made}
                currency={currency}
                scope={scope}
              />
            )}
          </div>
        </div>
      )}
      <Orders
        made={made}
        currency={currency}
        parameters={{ ...parameters, from: span.from ?? first, to: span.to ?? last }}
      />
      <Corrections currency={currency} parameters={{ ...parameters, from: span.from, to: span.to }} />
    </>
  );
}

/**
 * The first and the last day of what is told; of all sales, where that is not held. The service looks up orders by their
 * days, and refuses to look through all time.
 */
function useBounds(days: readonly Row[] | null): readonly [string | null, string | null] {
  const { table } = useView("sales_per_day");
  return useMemo(() => {
    const told = (days ?? [...table.entries()]).map(({ period }) => period).sort();
    return [told[0] ?? null, told.at(-1) ?? null];
  }, [days, table]);
}

type Mark = (view: DayView, rows: Rows) => (column: string) => string;

const partsOf = (
  told: Told | Missing,
  dimension: Dimension,
  name: (label: string) => string,
  mark: Mark,
): readonly Part[] | Missing => {
  if ("missing" in told) return told;
  return told.sums.map((sum) => {
    const of = { [dimension]: sum.label };
    return { ...sum, key: sum.label, name: name(sum.label), to: of, mark: mark(told.view, of) };
  });
};

/** What the total is of, in words: "EUR, 28 Oct to 26 Nov 2026, Books". */
function useWords(): string {
  const { t } = useTranslation();
  const format = useFormat();
  const names = useNames();
  const { span, period } = useShown();
  const { chosen } = useCurrencies();
  const { category, payment_method, product } = useShownNarrowing();
  const productName = useProductNames(product === null ? NONE : [product]);
  const days =
    span.from === null || span.to === null
      ? t(period === "all" ? "period.all" : "period.label")
      : span.from === span.to
        ? format.weekday(span.from)
        : t("overview.range", { from: format.day(span.from), to: format.day(span.to) });
  return [
    chosen?.code,
    days,
    category === null ? null : names.category(category),
    payment_method === null ? null : names.method(payment_method),
    product === null ? null : productName(product),
  ]
    .filter((part) => part !== null && part !== undefined)
    .join(" · ");
}

const NONE: readonly string[] = [];

/** The link that led here is gone with what it stood in: the focus goes to what is explained now, not to nowhere. */
function useKeptFocus(scope: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, [scope]);
  return heading;
}

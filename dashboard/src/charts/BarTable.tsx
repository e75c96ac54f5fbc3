/**
 * Bars that are a table: each row is a name, its bar, its exact numbers and its share. What a canvas would need
 * a table behind it for is here one thing, which also reads, copies and prints.
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { shareOf } from "../live/amount";
import type { CurrencyInfo } from "../live/ledger";
import { marks, unmarked } from "../live/mark";
import type { LabelledSum } from "../live/totals";
import { Choose } from "../ui/Choose";
import { Flash } from "../ui/Flash";
import styles from "./BarTable.module.css";

/** What each row is a part of. */
interface Beside {
  readonly heading: string;
  readonly wholes: ReadonlyMap<string, bigint>;
  /** What number a whole is, for `data-number`. */
  readonly markOf: (label: string) => string;
}

interface Props {
  readonly caption: string;
  /** What a row is: a category, a payment method. */
  readonly heading: string;
  readonly sums: readonly LabelledSum[];
  readonly nameOf: (label: string) => string;
  /** The sums' currency; null where they are of several: then orders are shown, and no money. */
  readonly currency: CurrencyInfo | null;
  /** Changes when another set of numbers is shown, so that nothing glows for it. */
  readonly scope: string;
  /** How many rows are shown before the reader asks for all. */
  readonly first: number;
  /** What stands beside the total: its share of all rows, or of what it is a part. */
  readonly beside?: "share" | "nothing" | Beside;
  /** What number a row's total or count is, for `data-number`. */
  readonly markOf?: (label: string, column: "total_sales" | "orders" | "units") => string | undefined;
  /** What is done when a row is clicked, and which row the page is narrowed to. */
  readonly onChoose?: (label: string) => void;
  readonly chosen?: string | null;
}

export function BarTable(props: Props) {
  const { caption, heading, sums, currency, first, beside = "share" } = props;
  const { t } = useTranslation();
  const format = useFormat();
  const [all, setAll] = useState(false);
  if (sums.length === 0) return <p className={styles.none}>{t("panel.none")}</p>;
  const sizeOf = ({ micros, orders }: LabelledSum) => (currency === null ? BigInt(orders) : micros);
  const wholes = typeof beside === "object" ? beside.wholes : null;
  const whole = sums.reduce((sum, each) => sum + sizeOf(each), 0n);
  const longest = [...sums.map(sizeOf), ...(wholes?.values() ?? [])].reduce((most, size) => (size > most ? size : most), 0n);
  const shown = all ? sums : sums.slice(0, first);
  return (
    <>
      <div className={styles.box}>
        <table className={styles.table}>
          <caption className="hidden">{caption}</caption>
          <thead className={styles.head}>
            <tr>
              <th scope="col">{heading}</th>
              <th scope="col">{currency === null ? t("table.units") : t("table.orders")}</th>
              <th scope="col">{currency === null ? t("table.orders") : t("table.total")}</th>
              {beside !== "nothing" && <th scope="col">{beside === "share" ? t("table.share") : beside.heading}</th>}
            </tr>
          </thead>
          <tbody>
            {shown.map((sum) => (
              <Line key={sum.label} {...props} sum={sum} size={sizeOf(sum)} longest={longest} whole={whole} />
            ))}
          </tbody>
        </table>
      </div>
      {sums.length > first && (
        <button type="button" className={styles.more} aria-expanded={all} onClick={() => { setAll(!all); }}>
          {all ? t("panel.fewer") : t("panel.all", { number: format.count(sums.length) })}
        </button>
      )}
    </>
  );
}

interface LineProps extends Props {
  readonly sum: LabelledSum;
  readonly size: bigint;
  readonly longest: bigint;
  readonly whole: bigint;
}

function Line({ sum, size, longest, whole, nameOf, currency, scope, beside = "share", markOf, onChoose, chosen }: LineProps) {
  const format = useFormat();
  const { label, micros, orders, units } = sum;
  const name = nameOf(label);
  const count = currency === null ? "units" : "orders";
  const width = (part: bigint) => `${((shareOf(part, longest) ?? 0) * 100).toFixed(2)}%`;
  const money = (amount: bigint) => (currency ? format.money(amount, currency.code, currency.minorUnits) : "");
  const all = typeof beside === "object" ? beside.wholes.get(label) : undefined;
  return (
    <tr className={onChoose ? styles.choosable : undefined}>
      <th scope="row">
        {all !== undefined && <span className={styles.ghost} aria-hidden="true" style={{ width: width(all) }} />}
        <span className={styles.bar} aria-hidden="true" style={{ width: width(size) }} />
        {onChoose ? (
          <Choose className={styles.choose} name={name} chosen={label === chosen} onChoose={() => { onChoose(label); }} />
        ) : (
          <span className={styles.name} title={name}>
            {name}
          </span>
        )}
      </th>
      <td className={`number ${styles.quiet ?? ""}`} {...marks(markOf?.(label, count), currency === null ? units : orders)}>
        {format.count(currency === null ? units : orders)}
      </td>
      <td>
        {currency === null ? (
          <Flash value={orders} scope={scope} text={format.count(orders)} of={markOf?.(label, "orders")} />
        ) : (
          <Flash value={micros} scope={scope} text={money(micros)} of={markOf?.(label, "total_sales")} />
        )}
      </td>
      {beside === "share" && (
        <td className={`number ${styles.quiet ?? ""}`} {...unmarked("share")}>
          {format.share(shareOf(size, whole))}
        </td>
      )}
      {typeof beside === "object" && (
        <td className={`number ${styles.quiet ?? ""}`} {...(all === undefined ? {} : marks(beside.markOf(label), all))}>
          {all === undefined ? "–" : money(all)}
        </td>
      )}
    </tr>
  );
}

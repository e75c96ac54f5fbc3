/**
 * Bars that are a table: each row is a name, its bar, its exact total and its share. What a canvas would need
 * a table behind it for is here one thing, which also reads, copies and prints.
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { shareOf } from "../live/amount";
import type { CurrencyInfo } from "../live/ledger";
import type { LabelledSum } from "../live/totals";
import { Flash } from "../ui/Flash";
import styles from "./BarTable.module.css";

interface Props {
  readonly caption: string;
  /** What a row is: a category, a payment method. */
  readonly heading: string;
  readonly sums: readonly LabelledSum[];
  readonly nameOf: (label: string) => string;
  readonly currency: CurrencyInfo;
  /** Changes when another set of numbers is shown, so that nothing glows for it. */
  readonly scope: string;
  /** How many rows are shown before the reader asks for all. */
  readonly first: number;
  /** Whether the rows are all parts of the whole, so that each has a share of it. */
  readonly shares?: boolean;
}

export function BarTable({ caption, heading, sums, nameOf, currency, scope, first, shares = true }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const [all, setAll] = useState(false);
  if (sums.length === 0) return <p className={styles.none}>{t("panel.none")}</p>;
  const whole = sums.reduce((sum, { micros }) => sum + micros, 0n);
  const longest = sums.reduce((most, { micros }) => (micros > most ? micros : most), 0n);
  const shown = all ? sums : sums.slice(0, first);
  return (
    <>
      <table className={styles.table}>
        <caption className="hidden">{caption}</caption>
        <thead className={styles.head}>
          <tr>
            <th scope="col">{heading}</th>
            <th scope="col">{t("table.orders")}</th>
            <th scope="col">{t("table.total")}</th>
            {shares && <th scope="col">{t("table.share")}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map(({ label, micros, orders }) => (
            <tr key={label}>
              <th scope="row">
                <span
                  className={styles.bar}
                  aria-hidden="true"
                  style={{ width: `${((shareOf(micros, longest) ?? 0) * 100).toFixed(2)}%` }}
                />
                <span className={styles.name} title={nameOf(label)}>
                  {nameOf(label)}
                </span>
              </th>
              <td className={`number ${styles.quiet ?? ""}`}>{format.count(orders)}</td>
              <td>
                <Flash
                  value={micros}
                  scope={scope}
                  text={format.money(micros, currency.code, currency.minorUnits)}
                />
              </td>
              {shares && (
                <td className={`number ${styles.quiet ?? ""}`}>{format.share(shareOf(micros, whole))}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {sums.length > first && (
        <button type="button" className={styles.more} aria-expanded={all} onClick={() => { setAll(!all); }}>
          {all ? t("panel.fewer") : t("panel.all", { number: format.count(sums.length) })}
        </button>
      )}
    </>
  );
}

import { useTranslation } from "react-i18next";
import type { Correction, ListParameters } from "../../api/types";
import { useFormat } from "../../i18n/format";
import type { CurrencyInfo } from "../../live/ledger";
import { unmarked } from "../../live/mark";
import { Panel } from "../../ui/Panel";
import { ScrollBox } from "../../ui/ScrollBox";
import { Difference } from "../Difference";
import { Failure } from "../Failure";
import { useShown, useShownNarrowing } from "../figures";
import { useList, useVersion } from "../lists";
import { effect } from "../versions";
import { When } from "../When";
import { Why } from "../Why";
import styles from "./Explain.module.css";
import { Turns } from "./Turns";

const ROWS = 20;

interface Props {
  readonly currency: CurrencyInfo;
  readonly parameters: ListParameters;
}

/** What changed the total after it was counted first: when, why, from what to what, and by how much. */
export function Corrections({ currency, parameters }: Props) {
  const { t } = useTranslation();
  const list = useList("corrections", parameters, useVersion("corrections"), ROWS);
  const { page, fault, again } = list;
  const title = t("explain.corrections");
  return (
    <Panel title={title} flush>
      {fault !== null && <Failure fault={fault} again={again} />}
      {page === null || page.rows.length === 0 ? (
        <p className={styles.remark}>
          {page !== null ? t("explain.noCorrections") : fault === null ? t("tables.loading") : ""}
        </p>
      ) : (
        <CorrectionTable caption={t("tables.caption", { title })} rows={page.rows} currency={currency} />
      )}
      <div className={styles.below}>
        <Turns of={title} list={list} />
      </div>
    </Panel>
  );
}

interface TableProps {
  readonly caption: string;
  readonly rows: readonly Correction[];
  readonly currency: CurrencyInfo;
}

function CorrectionTable({ caption, rows, currency: { code, minorUnits } }: TableProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { span } = useShown();
  const by = useShownNarrowing();
  const effectText = (row: Correction) => {
    const micros = effect(row, code, span, by);
    if (micros === null) return "–";
    return `${micros > 0n ? "+" : ""}${format.money(micros, code, minorUnits)}`;
  };
  return (
    <ScrollBox className={styles.scroll} label={caption}>
      <table className={`${styles.table ?? ""} ${styles.wide ?? ""}`}>
        <caption className="hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{t("table.order")}</th>
            <th scope="col">{t("table.when")}</th>
            <th scope="col">{t("table.why")}</th>
            <th scope="col">{t("table.change")}</th>
            <th scope="col" className={styles.numeric}>{t("explain.effect")}</th>
            <th scope="col">{t("table.place")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.topic} ${row.partition} ${row.offset}`}>
              <th scope="row">{row.order_id}</th>
              <td>
                <When at={row.noticed_at} epoch={row.epoch} />
              </td>
              <td>
                <Why why={row.why} />
              </td>
              <td>
                <Difference correction={row} />
              </td>
              <td className={`number ${styles.numeric ?? ""}`} {...unmarked("correction")}>
                {effectText(row)}
              </td>
              <td className={`number ${styles.quiet ?? ""}`} {...unmarked("place")}>
                {t("table.at", { topic: row.topic, partition: row.partition, offset: row.offset })}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

import { useTranslation } from "react-i18next";
import type { ListParameters, Order } from "../../api/types";
import { useFormat } from "../../i18n/format";
import { parseAmount } from "../../live/amount";
import type { CurrencyInfo } from "../../live/ledger";
import { markOf, unmarked } from "../../live/mark";
import { useLive } from "../../live/react";
import { Exact } from "../../ui/Exact";
import { Panel } from "../../ui/Panel";
import { ScrollBox } from "../../ui/ScrollBox";
import { Failure } from "../Failure";
import { useList, useVersion } from "../lists";
import { useNames } from "../names";
import { CheckLine } from "./CheckLine";
import styles from "./Explain.module.css";
import type { Made } from "./made";
import { Turns } from "./Turns";

const ROWS = 20;

interface Props {
  readonly made: Made;
  readonly currency: CurrencyInfo;
  readonly parameters: ListParameters;
}

const measure = ({ amount }: Order) => parseAmount(amount);

/** The orders themselves, each with its place in the log, where they are kept. */
export function Orders(props: Props) {
  const { t } = useTranslation();
  const kept = useLive((state) => state.ordersKept);
  if (!kept) return <Panel title={t("explain.orders")} missing={t("explain.ordersNotKept")}>{null}</Panel>;
  return <Kept {...props} />;
}

function Kept({ made, currency, parameters }: Props) {
  const { t } = useTranslation();
  const list = useList("orders", parameters, useVersion("orders"), ROWS, measure);
  const { page, until, more, fault, again } = list;
  const title = t("explain.orders");
  return (
    <Panel title={title} flush>
      {fault !== null && <Failure fault={fault} again={again} />}
      {page === null || page.rows.length === 0 ? (
        <p className={styles.remark}>
          {page !== null ? t("panel.none") : fault === null ? t("tables.loading") : ""}
        </p>
      ) : (
        <OrderTable caption={t("tables.caption", { title })} rows={page.rows} currency={currency} />
      )}
      <div className={styles.below}>
        {until.epochs !== null && until.rows > 0 && (
          <CheckLine
            noun="orders"
            count={until.rows}
            counted={{ micros: until.micros, epochs: until.epochs }}
            all={!more}
            made={made}
            currency={currency}
          />
        )}
        <Turns of={title} list={list} />
      </div>
    </Panel>
  );
}

const mark = ({ topic, order_id, currency }: Order, column: "amount" | "units") =>
  markOf("orders", column, { topic, order_id, currency });

interface TableProps {
  readonly caption: string;
  readonly rows: readonly Order[];
  readonly currency: CurrencyInfo;
}

function OrderTable({ caption, rows, currency }: TableProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const names = useNames();
  return (
    <ScrollBox className={styles.scroll} label={caption}>
      <table className={`${styles.table ?? ""} ${styles.wide ?? ""}`}>
        <caption className="hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{t("table.order")}</th>
            <th scope="col">{t("table.day")}</th>
            <th scope="col">{t("table.product")}</th>
            <th scope="col">{t("table.category")}</th>
            <th scope="col">{t("table.method")}</th>
            <th scope="col" className={styles.numeric}>{t("table.units")}</th>
            <th scope="col" className={styles.numeric}>{t("table.amount")}</th>
            <th scope="col">{t("table.place")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.topic} ${row.order_id}`}>
              <th scope="row">{row.order_id}</th>
              <td className="number" {...unmarked("moment")}>
                {format.day(row.order_date)}
              </td>
              <td>{row.product_name ?? row.product}</td>
              <td>{names.category(row.category)}</td>
              <td>{names.method(row.payment_method)}</td>
              <td className={styles.numeric}>
                <Exact of={mark(row, "units")} value={row.units} text={format.count(row.units)} />
              </td>
              <td className={styles.numeric}>
                <Exact
                  of={mark(row, "amount")}
                  value={parseAmount(row.amount)}
                  text={format.money(parseAmount(row.amount), row.currency, currency.minorUnits)}
                />
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

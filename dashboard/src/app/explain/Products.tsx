import { useTranslation } from "react-i18next";
import type { ProductTotal } from "../../api/types";
import { parseAmount } from "../../live/amount";
import type { CurrencyInfo } from "../../live/ledger";
import { markOf } from "../../live/mark";
import { Panel } from "../../ui/Panel";
import { Failure } from "../Failure";
import { useOff, useShown, useShownNarrowing } from "../figures";
import { useList, useVersion } from "../lists";
import { CheckLine } from "./CheckLine";
import styles from "./Explain.module.css";
import type { Made } from "./made";
import { PART_ROWS, PartTable } from "./Parts";
import { Turns } from "./Turns";

interface Props {
  readonly made: Made;
  readonly currency: CurrencyInfo;
  readonly scope: string;
}

const measure = ({ total_sales }: ProductTotal) => parseAmount(total_sales);

/** What sold, where a view tells it apart: it does not by category or payment method. */
export function Products({ made, currency, scope }: Props) {
  const { t } = useTranslation();
  const { category, payment_method } = useShownNarrowing();
  const title = t("explain.products");
  const off = useOff("sales_per_product");
  const missing = category !== null || payment_method !== null ? t("tables.notHeld") : off;
  if (missing !== null) return <Panel title={title} missing={missing}>{null}</Panel>;
  return <Held made={made} currency={currency} scope={scope} />;
}

function Held({ made, currency, scope }: Props) {
  const { t } = useTranslation();
  const { span } = useShown();
  const parameters = { from: span.from, to: span.to, currency: currency.code };
  const list = useList("product_totals", parameters, useVersion("product_totals"), PART_ROWS, measure);
  const { page, until, more, fault, again } = list;
  const title = t("explain.products");
  const parts = (page?.rows ?? []).map((row) => ({
    key: row.product,
    name: row.name ?? row.product,
    to: { product: row.product },
    mark: (column: string) => markOf("product_totals", column, { ...parameters, product: row.product }),
    micros: parseAmount(row.total_sales),
    orders: row.orders,
    units: row.units,
  }));
  return (
    <Panel title={title} flush>
      {fault !== null && <Failure fault={fault} again={again} />}
      {page === null && fault === null && <p className={styles.remark}>{t("tables.loading")}</p>}
      {page !== null && (
        <PartTable
          caption={`${title}, ${currency.code}`}
          heading={t("table.product")}
          parts={parts}
          whole={made.total?.micros ?? null}
          currency={currency}
          scope={scope}
        />
      )}
      <div className={styles.below}>
        {until.epochs !== null && (
          <CheckLine
            noun="products"
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

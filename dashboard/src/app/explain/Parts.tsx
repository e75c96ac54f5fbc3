/** The parts of a total, page by page, each leading to what made it in turn. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import { shareOf } from "../../live/amount";
import type { CurrencyInfo } from "../../live/ledger";
import { unmarked } from "../../live/mark";
import type { Sum } from "../../live/totals";
import { Flash } from "../../ui/Flash";
import { Link } from "../../ui/Link";
import { Panel } from "../../ui/Panel";
import { ScrollBox } from "../../ui/ScrollBox";
import type { Moves } from "../address";
import { useNotHeld } from "../tables/held";
import { Pager } from "../tables/Toolbar";
import { CheckLine, type Noun } from "./CheckLine";
import styles from "./Explain.module.css";
import type { Made, Missing } from "./made";

/** Rows a page. */
export const PART_ROWS = 12;

export interface Part extends Sum {
  readonly key: string;
  readonly name: string;
  readonly to: Moves;
  /** What its columns are, by `markOf`. */
  readonly mark: (column: string) => string;
}

interface TableProps {
  readonly caption: string;
  /** What a part is: a day, a category. */
  readonly heading: string;
  readonly parts: readonly Part[];
  readonly whole: bigint | null;
  readonly currency: CurrencyInfo;
  readonly scope: string;
}

export function PartTable({ caption, heading, parts, whole, currency, scope }: TableProps) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ScrollBox className={styles.scroll} label={caption}>
      <table className={styles.table}>
        <caption className="hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{heading}</th>
            <th scope="col">{t("table.orders")}</th>
            <th scope="col">{t("table.total")}</th>
            <th scope="col">{t("table.share")}</th>
          </tr>
        </thead>
        <tbody>
          {parts.map(({ key, name, to, mark, micros, orders }) => (
            <tr key={key}>
              <th scope="row">
                <Link to={to} className={styles.link}>
                  {name}
                </Link>
              </th>
              <td className="number">
                <Flash value={orders} scope={scope} text={format.count(orders)} of={mark("orders")} />
              </td>
              <td>
                <Flash
                  value={micros}
                  scope={scope}
                  text={format.money(micros, currency.code, currency.minorUnits)}
                  of={mark("total_sales")}
                />
              </td>
              <td className={`number ${styles.quiet ?? ""}`} {...unmarked("share")}>
                {format.share(whole === null ? null : shareOf(micros, whole))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

interface Props {
  readonly title: string;
  readonly heading: string;
  readonly noun: Noun;
  /** All of them. */
  readonly parts: readonly Part[] | Missing;
  readonly made: Made;
  readonly currency: CurrencyInfo;
  readonly scope: string;
}

/** Parts that the page holds, all of them. */
export function Parts({ title, heading, noun, parts, made, currency, scope }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const [asked, setAsked] = useState({ of: scope, page: 0 });
  const words = useNotHeld();
  if ("missing" in parts) return <Panel title={title} missing={words(parts.missing)}>{null}</Panel>;
  const last = Math.max(0, Math.ceil(parts.length / PART_ROWS) - 1);
  const page = asked.of === scope ? Math.min(asked.page, last) : 0;
  const first = page * PART_ROWS;
  const shown = parts.slice(first, first + PART_ROWS);
  const turn = (to: number) => () => { setAsked({ of: scope, page: to }); };
  return (
    <Panel title={title} note={format.count(parts.length)} flush>
      <PartTable
        caption={`${title}, ${currency.code}`}
        heading={heading}
        parts={shown}
        whole={made.total?.micros ?? null}
        currency={currency}
        scope={scope}
      />
      <div className={styles.below}>
        <CheckLine
          noun={noun}
          count={parts.length}
          counted={{
            micros: parts.reduce((sum, { micros }) => sum + micros, 0n),
            epochs: { first: made.epoch, last: made.epoch },
          }}
          all
          made={made}
          currency={currency}
        />
        {last > 0 && (
          <Pager
            of={title}
            rows={t("tables.rowsOf", {
              first: format.count(first + 1),
              last: format.count(first + shown.length),
              all: format.count(parts.length),
            })}
            names={[t("tables.previous"), t("tables.next")]}
            before={page > 0 ? turn(page - 1) : null}
            after={page < last ? turn(page + 1) : null}
          />
        )}
      </div>
    </Panel>
  );
}

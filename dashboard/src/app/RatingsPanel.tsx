import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Rating } from "../api/types";
import { useFormat } from "../i18n/format";
import { markOf } from "../live/mark";
import { useLive } from "../live/react";
import { Choose } from "../ui/Choose";
import { Flash } from "../ui/Flash";
import { Panel } from "../ui/Panel";
import { useNarrowing } from "./address";
import { choose, useOff, usePartial } from "./figures";
import { useProductNames } from "./listings";
import styles from "./RatingsPanel.module.css";

const SHOWN = 8;
const STARS = ["ones", "twos", "threes", "fours", "fives"] as const;

/** Of all the rows that are shown at first, so that nothing moves when there are fewer. */
const HEIGHT = 320;

/** The most rated products, how well they are rated, and how far opinions differ. */
export function RatingsPanel() {
  const { t } = useTranslation();
  const ratings = useLive((state) => state.ratings);
  const rows = useMemo(() => ratings?.list.top(SHOWN) ?? [], [ratings]);
  const nameOf = useProductNames(useMemo(() => rows.map(({ product }) => product), [rows]));
  const partial = usePartial("ratings_per_product");
  if (useOff("ratings_per_product") !== null) return null;
  const title = t("panel.ratings");
  return (
    <Panel height={HEIGHT} title={title} note={t("period.all")} partial={partial} missing={rows.length === 0 ? t("panel.noRatings") : null}>
      <table className={styles.table}>
        <caption className="hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{t("table.product")}</th>
            <th scope="col">{t("table.average")}</th>
            <th scope="col">{t("table.spread")}</th>
            <th scope="col">{t("table.ratings")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Line key={row.product} row={row} name={nameOf(row.product)} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function Line({ row, name }: { readonly row: Rating; readonly name: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const spread = t("rating.spread", {
    ones: format.count(row.ones),
    twos: format.count(row.twos),
    threes: format.count(row.threes),
    fours: format.count(row.fours),
    fives: format.count(row.fives),
  });
  const by = useNarrowing();
  const mark = (column: string) => markOf("ratings_per_product", column, { product: row.product });
  const most = Math.max(...STARS.map((star) => row[star]), 1);
  return (
    <tr>
      <th scope="row">
        <Choose name={name} chosen={by.product === row.product} onChoose={() => { choose("product", row.product, by); }} />
      </th>
      <td>
        <Flash value={row.average} scope="" text={t("rating.average", { average: format.decimal(row.average) })} of={mark("average")} />
      </td>
      <td title={spread}>
        <span className="hidden">{spread}</span>
        <span className={styles.spread} aria-hidden="true">
          {STARS.map((star) => (
            <span key={star} style={{ height: `${(row[star] / most) * 100}%` }} />
          ))}
        </span>
      </td>
      <td>
        <Flash value={row.ratings} scope="" text={format.count(row.ratings)} of={mark("ratings")} />
      </td>
    </tr>
  );
}

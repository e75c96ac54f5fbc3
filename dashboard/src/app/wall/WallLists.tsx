/** The largest categories and the best sellers, with bars. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import { shareOf } from "../../live/amount";
import type { CurrencyInfo } from "../../live/ledger";
import { markOf } from "../../live/mark";
import { useNarrowed } from "../../live/narrowed";
import { useLive } from "../../live/react";
import { bestSellers, perLabel, type LabelledSum } from "../../live/totals";
import { Flash } from "../../ui/Flash";
import { useShown, useView } from "../figures";
import { useProductNames } from "../listings";
import { useNames } from "../names";
import styles from "./Wall.module.css";

const SHOWN = 7;

interface Props {
  readonly currency: CurrencyInfo;
}

export function WallCategories({ currency }: Props) {
  const { t } = useTranslation();
  const { span } = useShown();
  const { code } = currency;
  const narrowing = useLive((state) => state.narrowing);
  const narrowed = useNarrowed("category");
  const sums = useMemo(
    () => ("missing" in narrowed ? [] : perLabel(narrowed.table, code, span, narrowed.label)),
    [narrowed, code, span],
  );
  const { category: nameOf } = useNames();
  if ("missing" in narrowed) return null;
  const { view } = narrowed.table;
  return (
    <List
      title={t("panel.perCategory")}
      note={code}
      sums={sums}
      nameOf={nameOf}
      currency={currency}
      markOf={({ label }) => markOf(view, "total_sales", { ...span, ...narrowing, currency: code, category: label })}
    />
  );
}

export function WallBest({ currency }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const { period } = useShown();
  const { code } = currency;
  const { category, payment_method, product } = useLive((state) => state.narrowing);
  const day = useLive((state) => state.bestDay);
  const off = useLive((state) => state.off.has("top_products"));
  const best = useView("top_products");
  // Days, months and all time are ranked; of other periods the month of the newest day is the nearest.
  const of = period === "all" ? "all" : period === "today" ? day : day.slice(0, 7);
  const sums = useMemo(() => bestSellers(best.table, code, of), [best, code, of]);
  const nameOf = useProductNames(useMemo(() => sums.map(({ label }) => label), [sums]));
  // They are of all sales: of a part of them they would be others.
  if (off || category !== null || payment_method !== null || product !== null) return null;
  const note = of === "all" ? t("period.all") : of.length > 7 ? format.dayShort(of) : format.month(of);
  return (
    <List
      title={t("panel.best")}
      note={`${code} · ${note}`}
      sums={sums}
      nameOf={nameOf}
      currency={currency}
      markOf={(_, at) => markOf("top_products", "total_sales", { period: of, currency: code, rank: at + 1 })}
    />
  );
}

interface ListProps extends Props {
  readonly title: string;
  readonly note: string;
  readonly sums: readonly LabelledSum[];
  readonly nameOf: (label: string) => string;
  readonly markOf: (sum: LabelledSum, at: number) => string;
}

function List({ title, note, sums, nameOf, currency: { code, minorUnits }, markOf: mark }: ListProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const longest = sums.reduce((most, { micros }) => (micros > most ? micros : most), 0n);
  return (
    <section className={styles.panel}>
      <h2>
        {title} <span>{note}</span>
      </h2>
      {sums.length === 0 && <p className={styles.none}>{t("panel.none")}</p>}
      <ol className={styles.list}>
        {sums.slice(0, SHOWN).map((sum, at) => (
          <li key={sum.label}>
            <span className={styles.name}>{nameOf(sum.label)}</span>
            <Flash
              value={sum.micros}
              scope={`${title} ${note}`}
              text={format.money(sum.micros, code, minorUnits)}
              of={mark(sum, at)}
            />
            <span
              className={styles.bar}
              aria-hidden="true"
              style={{ width: `${((shareOf(sum.micros, longest) ?? 0) * 100).toFixed(2)}%` }}
            />
          </li>
        ))}
      </ol>
    </section>
  );
}

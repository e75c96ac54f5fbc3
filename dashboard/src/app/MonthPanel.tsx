import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { axes } from "../charts/axes";
import { Chart, tooltip, type Ink } from "../charts/Chart";
import { useFormat } from "../i18n/format";
import { amountForPixels } from "../live/amount";
import type { CurrencyInfo } from "../live/ledger";
import { rangeOfPart, type PartSum } from "../live/months";
import { DataTable } from "../ui/DataTable";
import { Exact } from "../ui/Exact";
import { Panel } from "../ui/Panel";
import { move } from "./address";
import { usePartial } from "./figures";
import { Unheld } from "./filters/Unheld";
import styles from "./MonthPanel.module.css";
import { useMonths } from "./months";

const HEIGHT = 240;
const NUMBERS = Array.from({ length: 12 }, (_, at) => String(at + 1).padStart(2, "0"));
/** How strong the colour of each year is, the newest first; all older ones share the last. */
const STRENGTHS = [1, 0.6, 0.36, 0.22] as const;

const strengthOf = (back: number): number => STRENGTHS[back] ?? STRENGTHS[STRENGTHS.length - 1] ?? 1;

/** The months of the year beside each other, those of several years upon each other. */
export function MonthPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { code, minorUnits } = currency;
  const { months, view, missing, markOfInside, markOfWhole } = useMonths(code);
  const years = useMemo(() => [...new Set(months.map(({ part }) => part.slice(0, 4)))], [months]);
  const byPart = useMemo(() => new Map(months.map((month) => [month.part, month])), [months]);

  const linesOf = useCallback(
    ({ inside, whole }: PartSum, year: string): [string, string][] => {
      const lines: [string, string][] = [];
      if (inside.orders !== 0) lines.push([year, format.money(inside.micros, code, minorUnits)]);
      if (whole && whole.micros !== inside.micros) {
        lines.push([t("month.whole", { year }), format.money(whole.micros, code, minorUnits)]);
      }
      return lines;
    },
    [format, code, minorUnits, t],
  );
  const option = useCallback(
    (ink: Ink) => ({
      ...axes(ink, {
        bars: true,
        labels: NUMBERS.map((number) => format.monthShort(`2000-${number}`)),
        axis: format.axis,
        tip: (index) => {
          const number = NUMBERS[index] ?? "01";
          const lines = years.toReversed().flatMap((year) => {
            const month = byPart.get(`${year}-${number}`);
            return month ? linesOf(month, year) : [];
          });
          return tooltip(format.monthLong(`2000-${number}`), lines, t("chart.pickMonth"));
        },
      }),
      series: years.flatMap((year, at) => {
        const opacity = strengthOf(years.length - 1 - at);
        const data = (part: (month: PartSum) => bigint) =>
          NUMBERS.map((number) => {
            const month = byPart.get(`${year}-${number}`);
            return month ? amountForPixels(part(month)) : 0;
          });
        const bar = { type: "bar", stack: "years", barMaxWidth: 34, barCategoryGap: "38%", emphasis: { disabled: true } };
        return [
          { ...bar, name: year, data: data(({ inside }) => inside.micros), itemStyle: { color: ink.accent, opacity, borderColor: ink.ground, borderWidth: 1 } },
          {
            ...bar,
            name: `${year} rest`,
            data: data(({ inside, whole }) => (whole ?? inside).micros - inside.micros),
            itemStyle: { color: ink.ghost, opacity: 0.35 + 0.35 * opacity, borderColor: ink.ground, borderWidth: 1 },
          },
        ];
      }),
    }),
    [years, byPart, linesOf, format, t],
  );
  // Two series a year: what lies in the period, and the rest.
  const pick = useCallback(
    (index: number, series: number | null) => {
      const year = years[Math.floor((series ?? 0) / 2)];
      if (year !== undefined) move({ period: rangeOfPart(`${year}-${NUMBERS[index] ?? "01"}`) });
    },
    [years],
  );

  const best = months.reduce<PartSum | undefined>((most, each) => (most && sizeOf(most) >= sizeOf(each) ? most : each), undefined);
  const cut = months.some(({ inside, whole }) => whole && whole.orders !== inside.orders);
  const title = t("panel.perMonth");
  return (
    <Panel
      height={HEIGHT + 16}
      title={title}
      note={code}
      missing={missing && <Unheld split={null} missing={missing} />}
      partial={usePartial(view)}
      tools={<Legend years={years} cut={cut} />}
      table={() => (
        <DataTable
          caption={`${title}, ${code}`}
          columns={[t("table.month"), t("table.total"), t("month.all"), t("table.orders"), t("table.units")]}
          rows={months.toReversed().map(({ part, inside, whole }) => ({
            key: part,
            choose: { name: format.month(part), onChoose: () => { move({ period: rangeOfPart(part) }); } },
            cells: [
              format.month(part),
              <Exact key="total" of={markOfInside(part, "total_sales")} value={inside.micros} text={format.money(inside.micros, code, minorUnits)} />,
              whole ? (
                <Exact key="whole" of={markOfWhole(part)} value={whole.micros} text={format.money(whole.micros, code, minorUnits)} />
              ) : (
                "–"
              ),
              <Exact key="orders" of={markOfInside(part, "orders")} value={inside.orders} text={format.count(inside.orders)} />,
              <Exact key="units" of={markOfInside(part, "units")} value={inside.units} text={format.count(inside.units)} />,
            ],
          }))}
        />
      )}
    >
      <Chart
        label={
          best
            ? t("chart.perMonth", {
                currency: code,
                best: format.month(best.part),
                bestTotal: format.money(sizeOf(best), code, minorUnits),
              })
            : t("panel.none")
        }
        height={HEIGHT}
        option={option}
        pick="bar"
        onPick={pick}
      />
    </Panel>
  );
}

const sizeOf = ({ inside, whole }: PartSum): bigint => (whole ?? inside).micros;

function Legend({ years, cut }: { readonly years: readonly string[]; readonly cut: boolean }) {
  const { t } = useTranslation();
  return (
    <ul className={styles.legend}>
      {years.slice(-STRENGTHS.length).map((year, at, all) => (
        <li key={year}>
          <span className={styles.swatch} aria-hidden="true" style={{ opacity: strengthOf(all.length - 1 - at) }} />
          {year}
        </li>
      ))}
      {cut && (
        <li>
          <span className={styles.rest} aria-hidden="true" />
          {t("month.outside")}
        </li>
      )}
    </ul>
  );
}

import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { axes } from "../charts/axes";
import { Chart, tooltip, type Ink } from "../charts/Chart";
import { useFormat } from "../i18n/format";
import { amountForPixels } from "../live/amount";
import type { CurrencyInfo } from "../live/ledger";
import { perMonth } from "../live/totals";
import { DataTable } from "../ui/DataTable";
import { Panel } from "../ui/Panel";
import { useCalmTable } from "./calm";
import { largest } from "./DayPanel";
import { useOff, usePartial, useView } from "./figures";

const HEIGHT = 240;
/** A year and the same month a year ago. */
const MONTHS = 13;

export function MonthPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { code, minorUnits } = currency;
  const months = useCalmTable(useView("sales_per_month"));
  const series = useMemo(() => perMonth(months.table, code, MONTHS), [months, code]);

  const option = useCallback(
    (ink: Ink) => ({
      ...axes(ink, {
        bars: true,
        labels: series.map((point) => format.monthShort(point.period)),
        axis: format.axis,
        tip: (index) => {
          const point = series[index];
          if (!point) return tooltip("", []);
          return tooltip(format.month(point.period), [
            [t("table.total"), format.money(point.micros, code, minorUnits)],
            [t("table.orders"), format.count(point.orders)],
            [t("table.units"), format.count(point.units)],
          ]);
        },
      }),
      series: [
        {
          type: "bar",
          data: series.map((point) => amountForPixels(point.micros)),
          barMaxWidth: 34,
          barCategoryGap: "38%",
          itemStyle: { color: ink.accent, borderRadius: [4, 4, 0, 0] },
          emphasis: { disabled: true },
        },
      ],
    }),
    [series, format, code, minorUnits, t],
  );

  const best = largest(series);
  const title = t("panel.perMonth");
  const note = `${code} · ${t("panel.months", { number: format.count(MONTHS) })}`;
  return (
    <Panel
      title={title}
      note={note}
      missing={useOff("sales_per_month")}
      partial={usePartial("sales_per_month")}
      table={() => (
        <DataTable
          caption={`${title}, ${code}`}
          columns={[t("table.month"), t("table.total"), t("table.orders"), t("table.units")]}
          rows={series.toReversed().map((point) => ({
            key: point.period,
            cells: [
              format.month(point.period),
              format.money(point.micros, code, minorUnits),
              format.count(point.orders),
              format.count(point.units),
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
                best: format.month(best.period),
                bestTotal: format.money(best.micros, code, minorUnits),
              })
            : t("panel.none")
        }
        height={HEIGHT}
        option={option}
      />
    </Panel>
  );
}

import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { axes } from "../charts/axes";
import { Chart, tooltip, type Ink } from "../charts/Chart";
import { useFormat } from "../i18n/format";
import { amountForPixels } from "../live/amount";
import type { CurrencyInfo } from "../live/ledger";
import { perDay, type PeriodSum } from "../live/totals";
import { DataTable } from "../ui/DataTable";
import { Panel } from "../ui/Panel";
import { useCalmTable } from "./calm";
import { usePartial, useShown, useView } from "./figures";

const HEIGHT = 288;

export function DayPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { code, minorUnits } = currency;
  const { span, anchor } = useShown();
  const days = useCalmTable(useView("sales_per_day"));
  const series = useMemo(() => perDay(days.table, code, span, anchor), [days, code, span, anchor]);

  const option = useCallback(
    (ink: Ink) => ({
      ...axes(ink, {
        bars: false,
        labels: series.map((point) => format.dayShort(point.period)),
        axis: format.axis,
        tip: (index) => {
          const point = series[index];
          if (!point) return tooltip("", []);
          return tooltip(format.weekday(point.period), [
            [t("table.total"), format.money(point.micros, code, minorUnits)],
            [t("table.orders"), format.count(point.orders)],
            [t("table.units"), format.count(point.units)],
          ]);
        },
      }),
      series: [
        {
          type: "line",
          showAllSymbol: true,
          // The newest day is not over: a dot says where the line is still growing.
          data: series.map((point, at) => ({
            value: amountForPixels(point.micros),
            symbol: at === series.length - 1 ? "circle" : "none",
            symbolSize: 8,
          })),
          lineStyle: { color: ink.accent, width: 2 },
          itemStyle: { color: ink.accent, borderColor: ink.ground, borderWidth: 2 },
          areaStyle: { color: fade(ink.area) },
          emphasis: { disabled: true },
        },
      ],
    }),
    [series, format, code, minorUnits, t],
  );

  const title = t("panel.perDay");
  return (
    <Panel
      title={title}
      note={code}
      partial={usePartial("sales_per_day")}
      table={() => (
        <DataTable
          caption={`${title}, ${code}`}
          columns={[t("table.day"), t("table.total"), t("table.orders"), t("table.units")]}
          rows={series.toReversed().map((point) => ({
            key: point.period,
            cells: [
              format.day(point.period),
              format.money(point.micros, code, minorUnits),
              format.count(point.orders),
              format.count(point.units),
            ],
          }))}
        />
      )}
    >
      <Chart label={useLabel(series, currency)} height={HEIGHT} option={option} />
    </Panel>
  );
}

function useLabel(series: readonly PeriodSum[], { code, minorUnits }: CurrencyInfo): string {
  const { t } = useTranslation();
  const format = useFormat();
  const best = largest(series);
  const first = series[0];
  const last = series.at(-1);
  if (!best || !first || !last) return t("panel.none");
  const total = series.reduce((sum, point) => sum + point.micros, 0n);
  return t("chart.perDay", {
    currency: code,
    range: t("overview.range", { from: format.day(first.period), to: format.day(last.period) }),
    total: format.money(total, code, minorUnits),
    best: format.day(best.period),
    bestTotal: format.money(best.micros, code, minorUnits),
  });
}

export const largest = (series: readonly PeriodSum[]): PeriodSum | undefined =>
  series.reduce<PeriodSum | undefined>(
    (best, point) => (best && best.micros >= point.micros ? best : point),
    undefined,
  );

/** From the colour to nothing, downwards. */
const fade = (colour: string) => ({
  type: "linear" as const,
  x: 0,
  y: 0,
  x2: 0,
  y2: 1,
  colorStops: [
    { offset: 0, color: colour },
    { offset: 1, color: "rgba(128, 128, 128, 0)" },
  ],
});

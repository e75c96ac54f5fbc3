import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { axes } from "../charts/axes";
import { Chart, tooltip, type Ink } from "../charts/Chart";
import { useFormat } from "../i18n/format";
import type { CurrencyInfo } from "../live/ledger";
import { markOf } from "../live/mark";
import { perMinute } from "../live/minutes";
import { useLive } from "../live/react";
import { DataTable } from "../ui/DataTable";
import { Exact } from "../ui/Exact";
import { Panel } from "../ui/Panel";
import { useOff, usePartial, useShownNarrowing, useView } from "./figures";
import { OnlyOfAll } from "./filters/Unheld";
import type { Column } from "./narrowing";

const HEIGHT = 150;
const MINUTE_MS = 60_000;

/** How busy it is: orders by the minute of the log, up to its newest. */
export function HourPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { code, minorUnits } = currency;
  const minutes = useView("orders_per_minute");
  // Another minute of the log, not another record, moves the hour on.
  const newest = useLive(({ newestRecord }) =>
    newestRecord === null ? null : Math.floor(newestRecord / MINUTE_MS) * MINUTE_MS,
  );
  const series = useMemo(() => perMinute(minutes.table, code, newest), [minutes, code, newest]);

  const option = useCallback(
    (ink: Ink) => ({
      ...axes(ink, {
        bars: true,
        labels: series.map((point) => format.minute(point.period)),
        axis: format.axis,
        tip: (index) => {
          const point = series[index];
          if (!point) return tooltip("", []);
          return tooltip(format.minute(point.period), [
            [t("table.orders"), format.count(point.orders)],
            [t("table.total"), format.money(point.micros, code, minorUnits)],
          ]);
        },
      }),
      series: [
        {
          type: "bar",
          data: series.map((point) => point.orders),
          barCategoryGap: "25%",
          itemStyle: { color: ink.accent, borderRadius: [2, 2, 0, 0] },
          emphasis: { disabled: true },
        },
      ],
    }),
    [series, format, code, minorUnits, t],
  );

  const partial = usePartial("orders_per_minute");
  const { category, payment_method, product } = useShownNarrowing();
  const title = t("panel.hour");
  if (useOff("orders_per_minute") !== null) return null;
  if (category !== null || payment_method !== null || product !== null) {
    return <Panel height={HEIGHT + 16} title={title} note={code} missing={<OnlyOfAll />}>{null}</Panel>;
  }
  const [first, last] = [series[0], series.at(-1)];
  if (!first || !last) {
    return <Panel title={title} note={code} missing={t("panel.noMinutes")}>{null}</Panel>;
  }
  const mark = (minute: string, column: Column) => markOf("orders_per_minute", column, { minute, currency: code });
  const busiest = series.reduce((most, point) => (point.orders > most.orders ? point : most), first);
  return (
    <Panel
      title={title}
      note={`${code} · ${t("table.orders")}`}
      partial={partial}
      table={() => (
        <DataTable
          caption={`${title}, ${code}`}
          columns={[t("table.minute"), t("table.orders"), t("table.units"), t("table.total")]}
          rows={series.toReversed().map((point) => ({
            key: point.period,
            cells: [
              format.minute(point.period),
              <Exact key="orders" of={mark(point.period, "orders")} value={point.orders} text={format.count(point.orders)} />,
              <Exact key="units" of={mark(point.period, "units")} value={point.units} text={format.count(point.units)} />,
              <Exact key="total" of={mark(point.period, "total_sales")} value={point.micros} text={format.money(point.micros, code, minorUnits)} />,
            ],
          }))}
        />
      )}
    >
      <Chart
        label={t("chart.hour", {
          currency: code,
          from: format.minute(first.period),
          to: format.minute(last.period),
          orders: format.count(series.reduce((sum, point) => sum + point.orders, 0)),
          best: format.minute(busiest.period),
          bestOrders: format.count(busiest.orders),
        })}
        height={HEIGHT}
        option={option}
      />
    </Panel>
  );
}

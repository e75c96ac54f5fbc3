import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { axes } from "../charts/axes";
import { Chart, tooltip, type Ink } from "../charts/Chart";
import { useFormat } from "../i18n/format";
import { amountForPixels } from "../live/amount";
import type { CurrencyInfo } from "../live/ledger";
import { covers, isPreset, spanBefore } from "../live/period";
import { perDay, type PeriodSum } from "../live/totals";
import { DataTable } from "../ui/DataTable";
import { Exact } from "../ui/Exact";
import { BackIcon } from "../ui/icons";
import { Panel } from "../ui/Panel";
import styles from "./DayPanel.module.css";
import { usePartial, useShown } from "./figures";
import { Unheld } from "./filters/Unheld";
import { markOfPart, useNarrow, type Column } from "./narrowing";
import { useZoom, type Zoom } from "./zoom";

const HEIGHT = 288;
/** So few days are no line. */
const FEW_DAYS = 3;
const NONE: readonly PeriodSum[] = [];

export function DayPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { code, minorUnits } = currency;
  const { span, anchor, period } = useShown();
  const { part, missing } = useNarrow(null);
  const series = useMemo(() => (part ? perDay(part, code, span, anchor) : NONE), [part, code, span, anchor]);
  const before = useMemo(() => {
    const days = spanBefore(period, anchor);
    const sums = part && days && covers(part.from, days.from) ? perDay(part, code, days, anchor) : NONE;
    return sums.some(({ orders }) => orders > 0) ? sums : NONE;
  }, [part, code, period, anchor]);
  const zoom = useZoom();
  const { into } = zoom;
  const bars = series.length <= FEW_DAYS;

  const option = useCallback(
    (ink: Ink) => {
      const then = {
        name: "before",
        data: before.slice(0, series.length).map(({ micros }) => amountForPixels(micros)),
        silent: true,
        emphasis: { disabled: true },
      };
      const now = { name: "now", emphasis: { disabled: true } };
      return {
        ...axes(ink, {
          bars,
          labels: series.map((point) => format.dayShort(point.period)),
          axis: format.axis,
          tip: (index) => {
            const point = series[index];
            if (!point) return tooltip("", []);
            const past = before[index];
            const lines: [string, string][] = [
              [t("table.total"), format.money(point.micros, code, minorUnits)],
              [t("table.orders"), format.count(point.orders)],
              [t("table.units"), format.count(point.units)],
            ];
            if (past) lines.push([format.dayShort(past.period), format.money(past.micros, code, minorUnits)]);
            return tooltip(format.weekday(point.period), lines, series.length > 1 ? t("chart.pickDay") : "");
          },
        }),
        series: bars
          ? [
              { ...then, type: "bar", barMaxWidth: 90, itemStyle: { color: ink.ghost, borderRadius: [5, 5, 0, 0] } },
              {
                ...now,
                type: "bar",
                barMaxWidth: 90,
                data: series.map(({ micros }) => amountForPixels(micros)),
                itemStyle: { color: ink.accent, borderRadius: [5, 5, 0, 0] },
              },
            ]
          : [
              {
                ...then,
                type: "line",
                symbol: "none",
                lineStyle: { color: ink.ghost, width: 1.5, type: [4, 4] },
              },
              {
                ...now,
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
              },
            ],
      };
    },
    [series, before, bars, format, code, minorUnits, t],
  );
  const stretch = useCallback(
    (first: number, last: number) => {
      const from = series[Math.min(first, series.length - 1)];
      const to = series[Math.min(last, series.length - 1)];
      if (from && to) into(from.period, to.period);
    },
    [series, into],
  );
  const pick = useCallback((index: number) => { stretch(index, index); }, [stretch]);

  const mark = (day: string, column: Column) => markOfPart(part, column, { from: day, to: day }, { currency: code });
  const title = t("panel.perDay");
  return (
    <Panel
      height={HEIGHT + 16}
      title={title}
      note={code}
      missing={missing && <Unheld split={null} missing={missing} />}
      partial={usePartial(part?.view ?? "sales_per_day")}
      tools={<Tools zoom={zoom} compared={before.length === 0 ? null : bars ? "block" : "dash"} />}
      table={() => (
        <DataTable
          caption={`${title}, ${code}`}
          columns={[t("table.day"), t("table.total"), t("table.orders"), t("table.units")]}
          rows={series.toReversed().map((point) => ({
            key: point.period,
            choose: { name: format.day(point.period), onChoose: () => { into(point.period, point.period); } },
            cells: [
              format.day(point.period),
              <Exact key="total" of={mark(point.period, "total_sales")} value={point.micros} text={format.money(point.micros, code, minorUnits)} />,
              <Exact key="orders" of={mark(point.period, "orders")} value={point.orders} text={format.count(point.orders)} />,
              <Exact key="units" of={mark(point.period, "units")} value={point.units} text={format.count(point.units)} />,
            ],
          }))}
        />
      )}
    >
      <Chart
        label={useLabel(series, currency)}
        height={HEIGHT}
        option={option}
        onPick={pick}
        onStretch={stretch}
        {...(zoom.back ? { onReturn: zoom.back } : {})}
      />
    </Panel>
  );
}

/** What the pale line or bars are, and the way back from a stretch that was zoomed into. */
function Tools({ zoom: { back, before }, compared }: { readonly zoom: Zoom; readonly compared: "dash" | "block" | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <>
      {compared !== null && (
        <span className={styles.legend}>
          <span className={styles[compared]} aria-hidden="true" />
          {t("compare.line")}
        </span>
      )}
      {back && before !== null && (
        <button type="button" className={styles.back} onClick={back} title={t("chart.back")}>
          <BackIcon />
          {isPreset(before) ? t(`period.${before}`) : format.range(before.slice(0, 10), before.slice(12))}
        </button>
      )}
    </>
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

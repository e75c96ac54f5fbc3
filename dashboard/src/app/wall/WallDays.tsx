/** The days of the period in one currency, as a line to be seen from afar. */
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { axes } from "../../charts/axes";
import { Chart, tooltip, type Ink } from "../../charts/Chart";
import { useFormat } from "../../i18n/format";
import { amountForPixels } from "../../live/amount";
import type { CurrencyInfo } from "../../live/ledger";
import { useNarrowed } from "../../live/narrowed";
import { perDay } from "../../live/totals";
import { useShown } from "../figures";
import styles from "./Wall.module.css";

/** In pixels of the wall. */
const HEIGHT = 424;
const TYPE = 20;
const LINE = 4;
/** Between the line and the labels, and around all of it. */
const GAP = 18;
const EDGE = 12;

interface Props {
  readonly currency: CurrencyInfo;
  readonly unit: number;
}

export function WallDays({ currency: { code, minorUnits }, unit }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const { span, anchor } = useShown();
  const narrowed = useNarrowed(null);
  const series = useMemo(
    () => ("missing" in narrowed ? [] : perDay(narrowed.table, code, span, anchor)),
    [narrowed, code, span, anchor],
  );
  const option = useCallback(
    (ink: Ink) => {
      const base = axes(ink, {
        bars: series.length < 3,
        labels: series.map((point) => format.dayShort(point.period)),
        axis: format.axis,
        tip: () => tooltip("", []),
      });
      // Nothing of it is in pixels of the screen, or labels run into each other and over the edge of a large one.
      const label = { color: ink.faint, fontFamily: ink.font, fontSize: TYPE * unit, margin: GAP * unit };
      const part = (name: "xAxis" | "yAxis") => {
        const { axisLabel, ...rest } = base[name] as { axisLabel: object };
        return { ...rest, axisLabel: { ...axisLabel, ...label } };
      };
      const [grid, edge] = [base.grid as object, EDGE * unit];
      return {
        ...base,
        grid: { ...grid, left: edge, right: edge, top: edge, bottom: edge },
        tooltip: { show: false },
        xAxis: part("xAxis"),
        yAxis: part("yAxis"),
        series: [
          {
            type: series.length < 3 ? "bar" : "line",
            data: series.map((point) => amountForPixels(point.micros)),
            showSymbol: false,
            barMaxWidth: 120 * unit,
            lineStyle: { color: ink.accent, width: LINE * unit },
            itemStyle: { color: ink.accent },
            areaStyle: { color: ink.area },
            emphasis: { disabled: true },
            silent: true,
          },
        ],
      };
    },
    [series, format, unit],
  );
  // As of the categories: there is no number of what no view holds, and nothing to click on a wall that would lead to one.
  if ("missing" in narrowed) return null;
  const total = series.reduce((sum, { micros }) => sum + micros, 0n);
  return (
    <section className={styles.panel}>
      <h2>
        {t("panel.perDay")} <span>{code}</span>
      </h2>
      <Chart label={`${t("panel.perDay")}, ${format.money(total, code, minorUnits)}`} height={HEIGHT * unit} option={option} />
    </section>
  );
}

/** Axes and tooltip that all charts share: quiet, with few lines. */
import type { EChartsCoreOption } from "echarts/core";
import type { Ink } from "./Chart";

interface Settings {
  readonly labels: readonly string[];
  readonly axis: (value: number) => string;
  readonly tip: (index: number) => HTMLElement;
  readonly bars: boolean;
}

/** What ECharts hands to an axis tooltip, as far as we read it. */
interface TipPoint {
  readonly dataIndex: number;
}

export function axes(ink: Ink, { labels, axis, tip, bars }: Settings): EChartsCoreOption {
  const text = { color: ink.faint, fontFamily: ink.font, fontSize: 12 };
  return {
    grid: { left: 6, right: 10, top: 14, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: "transparent",
      borderWidth: 0,
      padding: 0,
      transitionDuration: 0.1,
      axisPointer: bars
        ? { type: "shadow", shadowStyle: { color: ink.fill, opacity: 0.35 } }
        : { type: "line", lineStyle: { color: ink.lineStrong, type: "solid" } },
      formatter: (points: readonly TipPoint[]) => tip(points[0]?.dataIndex ?? 0),
    },
    xAxis: {
      type: "category",
      data: labels,
      boundaryGap: bars,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...text, margin: 12, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      splitNumber: 4,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...text, margin: 10, formatter: axis },
      splitLine: { lineStyle: { color: ink.line } },
    },
  };
}

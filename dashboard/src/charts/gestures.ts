/** Clicks on a chart, and stretches dragged over by mouse. A finger scrolls the page, and taps. */
import type { ECharts } from "echarts/core";

export interface Gestures {
  readonly pick?: (index: number, series: number | null) => void;
  readonly stretch?: (first: number, last: number) => void;
  readonly back?: () => void;
}

/** Nearer than this (px) to where the button went down, a drag is a click. */
const STEADY = 8;

/** A click that may be the first of two waits so long (ms) for the second. */
const TWICE_MS = 240;

/** What ECharts tells of a click on a bar, as far as we read it. */
interface Hit {
  readonly seriesIndex?: number;
  readonly dataIndex?: number;
}

/**
 * Listens until the returned function is called. `shade` shows the stretch; `bars`: only a bar itself can be
 * clicked. `doing` is read at each gesture, so it may change.
 */
export function listen(
  chart: ECharts,
  shade: HTMLElement,
  bars: boolean,
  doing: { readonly current: Gestures },
): () => void {
  const canvas = chart.getZr();
  const element = chart.getDom();
  let from: number | null = null;
  let dragged = false;
  let waiting: ReturnType<typeof setTimeout> | undefined;

  const indexAt = (x: number): number => Math.max(0, Math.round(chart.convertFromPixel({ xAxisIndex: 0 }, x)));
  const isInside = (x: number, y: number) => chart.containPixel("grid", [x, y]);
  const xOf = (event: PointerEvent) => event.clientX - element.getBoundingClientRect().left;

  const click = ({ offsetX, offsetY }: { offsetX: number; offsetY: number }) => {
    if (dragged || !isInside(offsetX, offsetY)) return;
    const index = indexAt(offsetX);
    clearTimeout(waiting);
    if (doing.current.back) waiting = setTimeout(() => doing.current.pick?.(index, null), TWICE_MS);
    else doing.current.pick?.(index, null);
  };
  const hit = ({ seriesIndex, dataIndex }: Hit) => {
    if (dataIndex !== undefined) doing.current.pick?.(dataIndex, seriesIndex ?? null);
  };
  const point = ({ offsetX, offsetY }: { offsetX: number; offsetY: number }) => {
    if (!bars && doing.current.pick && isInside(offsetX, offsetY)) canvas.setCursorStyle("pointer");
  };
  const back = () => {
    clearTimeout(waiting);
    doing.current.back?.();
  };

  const down = (event: PointerEvent) => {
    dragged = false;
    const { top } = element.getBoundingClientRect();
    const x = xOf(event);
    if (!doing.current.stretch || event.pointerType === "touch" || event.button !== 0) return;
    if (isInside(x, event.clientY - top)) from = x;
  };
  const drag = (event: PointerEvent) => {
    if (from === null) return;
    const to = Math.min(Math.max(xOf(event), 0), element.clientWidth);
    dragged ||= Math.abs(to - from) >= STEADY;
    shade.hidden = !dragged;
    shade.style.left = `${Math.min(from, to)}px`;
    shade.style.width = `${Math.abs(to - from)}px`;
  };
  const end = () => {
    from = null;
    shade.hidden = true;
  };
  const up = (event: PointerEvent) => {
    if (from !== null && dragged) {
      const [first, last] = [indexAt(from), indexAt(xOf(event))].sort((a, b) => a - b);
      doing.current.stretch?.(first ?? 0, last ?? 0);
    }
    end();
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key === "Escape" && from !== null) end();
  };

  if (bars) chart.on("click", hit);
  else canvas.on("click", click);
  canvas.on("mousemove", point);
  canvas.on("dblclick", back);
  const listening = new AbortController();
  const { signal } = listening;
  element.addEventListener("pointerdown", down, { signal });
  window.addEventListener("pointermove", drag, { signal });
  window.addEventListener("pointerup", up, { signal });
  window.addEventListener("pointercancel", end, { signal });
  window.addEventListener("keydown", escape, { signal });
  return () => {
    clearTimeout(waiting);
    // The chart may be gone before its listeners: then they went with it.
    if (!chart.isDisposed()) {
      chart.off("click", hit);
      canvas.off("click", click);
      canvas.off("mousemove", point);
      canvas.off("dblclick", back);
    }
    listening.abort();
  };
}

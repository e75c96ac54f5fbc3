/**
 * A canvas drawn by ECharts. Styles are set through the CSSOM and tooltips are elements, so a strict policy
 * holds.
 */
import type { ECharts, EChartsCoreOption } from "echarts/core";
import { useEffect, useRef, useState } from "react";
import { prefersStillness, useTheme } from "../app/theme";
import { CALM_MS } from "../live/calm";
import styles from "./Chart.module.css";
import { listen, type Gestures } from "./gestures";

/** Asked for at once, while the numbers load. */
const canvas = import("./canvas");

/** The colours a chart is drawn in, as the theme has them now. */
export interface Ink {
  readonly accent: string;
  readonly fill: string;
  /** Under a line. */
  readonly area: string;
  readonly ground: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly faint: string;
  /** What is there for comparison alone. */
  readonly ghost: string;
  readonly font: string;
}

interface Props {
  /** What the picture says, for those who do not see it. */
  readonly label: string;
  /** Height in CSS pixels: fixed, so that nothing jumps. */
  readonly height: number;
  /** Must keep its identity while nothing changed. */
  readonly option: (ink: Ink) => EChartsCoreOption;
  /** What is done when a place along the axis is clicked, and with which of the series where a bar was hit. */
  readonly onPick?: (index: number, series: number | null) => void;
  /** Whether only a bar is a place to click, or all that is above and below it too. */
  readonly pick?: "bar" | "column";
  /** What is done when a stretch of the axis is dragged over by mouse. */
  readonly onStretch?: (first: number, last: number) => void;
  /** What is done on a double click. */
  readonly onReturn?: () => void;
}

const MOVE_MS = 350;
/** A picture that changed less than this ago changes at once: one that never rests says nothing, and costs a processor. */
const REST_MS = 2 * CALM_MS;

export function Chart({ label, height, option, onPick, pick = "column", onStretch, onReturn }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const shade = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<ECharts | null>(null);
  const drawnAt = useRef(0);
  const theme = useTheme();

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let made: ECharts | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const watch = new ResizeObserver(() => {
      if (made && made.getWidth() !== element.clientWidth) made.resize({ silent: true });
    });
    void canvas.then(({ init }) => {
      if (gone) return;
      // Making and drawing each chart is a task of its own: together they would hold the browser.
      timer = setTimeout(() => {
        made = init(element, undefined, { renderer: "canvas" });
        watch.observe(element);
        setChart(made);
      });
    });
    return () => {
      gone = true;
      clearTimeout(timer);
      watch.disconnect();
      made?.dispose();
      setChart(null);
    };
  }, []);

  useEffect(() => {
    const element = box.current;
    if (!element || !chart) return;
    const timer = setTimeout(() => {
      const now = performance.now();
      const still = prefersStillness() || now - drawnAt.current < REST_MS;
      drawnAt.current = now;
      chart.setOption({
        animation: !still,
        animationDuration: 0,
        animationDurationUpdate: still ? 0 : MOVE_MS,
        animationEasingUpdate: "cubicOut",
        ...option(inkOf(element)),
      });
    });
    return () => { clearTimeout(timer); };
  }, [chart, option, theme]);

  const doing = useRef<Gestures>({});
  useEffect(() => {
    doing.current = {
      ...(onPick ? { pick: onPick } : {}),
      ...(onStretch ? { stretch: onStretch } : {}),
      ...(onReturn ? { back: onReturn } : {}),
    };
  }, [onPick, onStretch, onReturn]);
  const listens = Boolean(onPick ?? onStretch);
  useEffect(() => {
    if (!chart || !shade.current || !listens) return;
    return listen(chart, shade.current, pick === "bar", doing);
  }, [chart, listens, pick]);

  return (
    <div className={styles.picture} role="img" aria-label={label}>
      <div ref={box} aria-hidden="true" style={{ height }} />
      <div ref={shade} className={styles.shade} aria-hidden="true" hidden />
    </div>
  );
}

/** Canvas knows no CSS variables: the browser resolves them. */
function inkOf(element: HTMLElement): Ink {
  const probe = document.createElement("span");
  // Where motion is unwelcome every element has a transition of no length, and one that has begun still tells the
  // colour before.
  probe.style.transitionProperty = "none";
  element.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const ink: Ink = {
    accent: colour("--accent"),
    fill: colour("--accent-fill"),
    area: colour("--accent-area"),
    ground: colour("--surface"),
    line: colour("--line"),
    lineStrong: colour("--line-strong"),
    faint: colour("--text-faint"),
    ghost: colour("--ghost"),
    font: getComputedStyle(element).fontFamily,
  };
  probe.remove();
  return ink;
}

/** A tooltip's content: a heading, lines of a name and a value, and what a click does. */
export function tooltip(heading: string, lines: readonly (readonly [string, string])[], hint = ""): HTMLElement {
  const element = document.createElement("div");
  element.className = styles.tip ?? "";
  const add = (parent: Element, tag: string, text: string) => {
    const child = document.createElement(tag);
    child.textContent = text;
    parent.append(child);
  };
  add(element, "strong", heading);
  for (const [name, value] of lines) {
    const line = document.createElement("p");
    add(line, "span", name);
    add(line, "b", value);
    element.append(line);
  }
  if (hint !== "") add(element, "small", hint);
  return element;
}

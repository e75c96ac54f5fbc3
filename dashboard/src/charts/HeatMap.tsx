/** A year of days in weeks, each as dark as its sales. The panel's table does the same by keyboard. */
import { useEffect, useMemo, useRef } from "react";
import { useFormat } from "../i18n/format";
import { calendarOf } from "../live/calendar";
import styles from "./HeatMap.module.css";

const CELL = 13;
const STEP = 16;
const LEFT = 36;
const TOP = 18;
const WIDTH = LEFT + 53 * STEP + CELL;
const HEIGHT = TOP + 7 * STEP;
/** Every second day of the week is named. */
const NAMED = [0, 2, 4];

export interface HeatDay {
  /** 0 is no sale; null, that the day is not known. */
  readonly shade: number | null;
  /** Whether it belongs to what the page shows. */
  readonly inside: boolean;
}

interface Props {
  readonly year: string;
  /** What the picture says, for those who do not see it. */
  readonly label: string;
  readonly dayOf: (day: string) => HeatDay;
  readonly tip: (day: string) => HTMLElement;
  readonly onPick: (day: string) => void;
}

export function HeatMap({ year, label, dayOf, tip, onPick }: Props) {
  const format = useFormat();
  const box = useRef<HTMLDivElement>(null);
  const bubble = useRef<HTMLDivElement>(null);
  const days = useMemo(() => calendarOf(year), [year]);
  const doing = useRef({ tip, onPick });
  useEffect(() => {
    doing.current = { tip, onPick };
  }, [tip, onPick]);

  useEffect(() => {
    const [ground, note] = [box.current, bubble.current];
    if (!ground || !note) return;
    const dayAt = ({ target }: Event) => (target instanceof SVGRectElement ? (target.dataset.day ?? null) : null);
    const click = (event: Event) => {
      const day = dayAt(event);
      if (day !== null) doing.current.onPick(day);
    };
    const point = (event: PointerEvent) => {
      const day = event.pointerType === "touch" ? null : dayAt(event);
      note.hidden = day === null;
      if (day === null) return;
      note.replaceChildren(doing.current.tip(day));
      const { left, top, width } = ground.getBoundingClientRect();
      const x = event.clientX - left;
      note.style.top = `${event.clientY - top + 14}px`;
      note.style.left = `${Math.min(Math.max(x - note.offsetWidth / 2, 0), width - note.offsetWidth)}px`;
    };
    const leave = () => { note.hidden = true; };
    ground.addEventListener("click", click);
    ground.addEventListener("pointermove", point);
    ground.addEventListener("pointerleave", leave);
    return () => {
      ground.removeEventListener("click", click);
      ground.removeEventListener("pointermove", point);
      ground.removeEventListener("pointerleave", leave);
    };
  }, []);

  return (
    <div ref={box} className={styles.box}>
      {/* A box that scrolls must take the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className={styles.scroll} role="region" aria-label={label} tabIndex={0}>
        <svg className={styles.year} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
          {days
            .filter(({ day }) => day.endsWith("-01"))
            .map(({ day, week, weekday }) => (
              <text key={day} className={styles.text} x={LEFT + (weekday === 0 ? week : week + 1) * STEP} y={11}>
                {format.monthShort(day.slice(0, 7))}
              </text>
            ))}
          {NAMED.map((weekday) => (
            <text key={weekday} className={styles.text} x={0} y={TOP + weekday * STEP + 10}>
              {format.dayOfWeek(weekday)}
            </text>
          ))}
          {days.map(({ day, week, weekday }) => {
            const { shade, inside } = dayOf(day);
            return (
              <rect
                key={day}
                data-day={shade === null ? undefined : day}
                className={`${styles[shade === null ? "unknown" : `shade${shade}`] ?? ""} ${inside ? "" : (styles.outside ?? "")}`}
                x={LEFT + week * STEP}
                y={TOP + weekday * STEP}
                width={CELL}
                height={CELL}
                rx={3}
              />
            );
          })}
        </svg>
      </div>
      <div ref={bubble} className={styles.bubble} aria-hidden="true" hidden />
    </div>
  );
}

/** From nothing to the most. */
export function HeatLegend({ less, more }: { readonly less: string; readonly more: string }) {
  return (
    <span className={styles.legend} aria-hidden="true">
      {less}
      {[0, 1, 2, 3, 4, 5].map((shade) => (
        <svg key={shade} width="11" height="11">
          <rect className={styles[`shade${shade}`]} width="11" height="11" rx="3" />
        </svg>
      ))}
      {more}
    </span>
  );
}

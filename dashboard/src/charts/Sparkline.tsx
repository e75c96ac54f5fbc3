/** A line without axes: the shape of a period. Decoration beside an exact number, so hidden from readers. */
import { memo, useId } from "react";
import styles from "./Sparkline.module.css";

/** More points than this are no longer seen at that size. */
const POINTS = 90;
/** The picture's own units; what it is stretched to, its class says. */
const WIDTH = 300;
const HEIGHT = 44;

interface Props {
  readonly values: readonly number[];
  /** `ground` fills the foot of a card, `line` stands beside a number. */
  readonly shape: "ground" | "line";
}

/** `values` must keep their identity while nothing changed. */
export const Sparkline = memo(function Sparkline({ values, shape }: Props) {
  const gradient = useId();
  const points = thin(values);
  const top = Math.max(...points, 0);
  const low = Math.min(...points, 0);
  const size = top - low || 1;
  const x = (at: number) => (points.length < 2 ? WIDTH : (at / (points.length - 1)) * WIDTH);
  const y = (value: number) => HEIGHT - 2 - ((value - low) / size) * (HEIGHT - 6);
  const line = points.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return (
    <svg className={styles[shape]} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <defs>
        <linearGradient id={gradient} x1="0" x2="0" y1="0" y2="1">
          <stop offset="0" stopColor="currentColor" stopOpacity="0.2" />
          <stop offset="1" stopColor="currentColor" stopOpacity="0" />
        </linearGradient>
      </defs>
      {points.length > 1 && (
        <>
          {shape === "ground" && <polygon points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} fill={`url(#${gradient})`} />}
          <polyline points={line} fill="none" stroke="currentColor" strokeWidth="1.5" vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
        </>
      )}
    </svg>
  );
});

/** The mean of each stretch, where there are more values than the picture can show. */
function thin(values: readonly number[]): readonly number[] {
  if (values.length <= POINTS) return values;
  const width = values.length / POINTS;
  return Array.from({ length: POINTS }, (_, index) => {
    const stretch = values.slice(Math.floor(index * width), Math.floor((index + 1) * width));
    return stretch.reduce((sum, value) => sum + value, 0) / stretch.length;
  });
}

/** Parts of a whole in one bar. The table beneath tells the same in numbers, so it is hidden from readers. */
import { shareOf } from "../live/amount";
import type { LabelledSum } from "../live/totals";
import styles from "./ShareBar.module.css";

/** Tints from the accent outwards; what comes after the last shares its tint. */
const TINTS = 6;

export function ShareBar({ sums }: { readonly sums: readonly LabelledSum[] }) {
  const whole = sums.reduce((sum, { micros }) => sum + micros, 0n);
  const parts = sums
    .map(({ label, micros }) => ({ label, share: shareOf(micros, whole) ?? 0 }))
    .filter(({ share }) => share > 0);
  if (parts.length === 0) return null;
  return (
    <div className={styles.bar} aria-hidden="true">
      {parts.map(({ label, share }, at) => (
        <span
          key={label}
          className={styles.part}
          style={{ flexGrow: share, opacity: 1 - (Math.min(at, TINTS - 1) / TINTS) * 0.92 }}
        />
      ))}
    </div>
  );
}

/** Parts of a whole in one bar. The table beneath tells the same in numbers, so it is hidden from readers. */
import { shareOf } from "../live/amount";
import styles from "./ShareBar.module.css";

/** Tints from the accent outwards; what comes after the last shares its tint. */
const TINTS = 6;

interface Props {
  readonly parts: readonly { readonly label: string; readonly size: bigint }[];
  readonly nameOf: (label: string) => string;
  /** The table's rows do the same by keyboard. */
  readonly onChoose: (label: string) => void;
}

export function ShareBar({ parts, nameOf, onChoose }: Props) {
  const whole = parts.reduce((sum, { size }) => sum + size, 0n);
  const shares = parts
    .map(({ label, size }) => ({ label, share: shareOf(size, whole) ?? 0 }))
    .filter(({ share }) => share > 0);
  if (shares.length === 0) return <div className={styles.bar} aria-hidden="true" />;
  return (
    <div className={styles.bar} aria-hidden="true">
      {shares.map(({ label, share }, at) => (
        <button
          key={label}
          type="button"
          tabIndex={-1}
          title={nameOf(label)}
          className={styles.part}
          style={{ flexGrow: share, opacity: 1 - (Math.min(at, TINTS - 1) / TINTS) * 0.92 }}
          onClick={() => { onChoose(label); }}
        />
      ))}
    </div>
  );
}

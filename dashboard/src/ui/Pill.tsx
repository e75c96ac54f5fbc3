/** The button of a filter: dashed while it narrows nothing, filled with what it is set to. */
import type { ComponentPropsWithRef } from "react";
import { ChevronIcon, PlusIcon } from "./icons";
import styles from "./Pill.module.css";

interface Props extends Omit<ComponentPropsWithRef<"button">, "value"> {
  readonly label: string;
  readonly value: string | null;
}

export function Pill({ label, value, className, ...rest }: Props) {
  return (
    <button type="button" {...rest} className={`${styles.pill ?? ""} ${value === null ? (styles.unset ?? "") : ""} ${className ?? ""}`}>
      {value === null && <PlusIcon />}
      <span className={styles.label}>{label}</span>
      {value !== null && (
        <>
          <span className={styles.value}>{value}</span>
          <ChevronIcon />
        </>
      )}
    </button>
  );
}

/** A choice of a few, side by side: radio buttons, so arrows and screen readers work as they do everywhere. */
import styles from "./Segmented.module.css";

interface Option<T extends string> {
  readonly value: T;
  readonly label: string;
  /** The full name, where the label is short. */
  readonly name?: string;
}

interface Props<T extends string> {
  readonly label: string;
  readonly name: string;
  readonly options: readonly Option<T>[];
  readonly value: T;
  readonly busy?: boolean;
  readonly onChange: (value: T) => void;
}

export function Segmented<T extends string>({ label, name, options, value, busy = false, onChange }: Props<T>) {
  return (
    <fieldset className={styles.group} aria-busy={busy}>
      <legend className="hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={styles.option}>
          <input
            type="radio"
            className="hidden"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => { onChange(option.value); }}
            {...(option.name === undefined ? {} : { "aria-label": option.name })}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

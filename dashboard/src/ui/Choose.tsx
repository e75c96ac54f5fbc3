/** A name that filters when it is clicked: quiet until pointed at. Where it is what is shown, a click takes it back. */
import { useTranslation } from "react-i18next";
import styles from "./Choose.module.css";

interface Props {
  readonly name: string;
  /** Whether it is what the page is narrowed to. */
  readonly chosen?: boolean;
  readonly onChoose: () => void;
  readonly className?: string | undefined;
}

export function Choose({ name, chosen = false, onChoose, className }: Props) {
  const { t } = useTranslation();
  const says = t(chosen ? "filter.notOnly" : "filter.only", { name });
  return (
    <button
      type="button"
      className={`${styles.choose ?? ""} ${className ?? ""}`}
      title={says}
      aria-label={says}
      aria-pressed={chosen}
      onClick={onChoose}
    >
      {name}
    </button>
  );
}

import { useTranslation } from "react-i18next";
import { ApiError } from "../api/client";
import styles from "./Failure.module.css";

interface Props {
  readonly fault: Error;
  readonly again: () => void;
}

/** That rows could not be loaded: why, in the service's words, and what to do. */
export function Failure({ fault, again }: Props) {
  const { t } = useTranslation();
  const hint = fault instanceof ApiError ? fault.hint : null;
  return (
    <p className={styles.failure} role="alert">
      {t("tables.failed", { problem: fault.message })}
      {hint !== null && ` (${hint})`}
      <button type="button" className={styles.again} onClick={again}>
        {t("tables.again")}
      </button>
    </p>
  );
}

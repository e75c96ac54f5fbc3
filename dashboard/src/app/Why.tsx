import { useTranslation } from "react-i18next";
import styles from "./Why.module.css";

/** That an order was corrected, or cancelled. */
export function Why({ why }: { readonly why: string }) {
  const { t } = useTranslation();
  const cancelled = why === "cancellation";
  return (
    <span className={cancelled ? styles.cancelled : styles.corrected}>
      {t(cancelled ? "correction.cancellation" : "correction.correction")}
    </span>
  );
}

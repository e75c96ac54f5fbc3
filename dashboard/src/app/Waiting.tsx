import { useTranslation } from "react-i18next";
import styles from "./Waiting.module.css";

/** Before the first number: the page's shape, so that nothing jumps when they come; or that there is none yet. */
export function Waiting({ empty }: { readonly empty: boolean }) {
  const { t } = useTranslation();
  if (empty) {
    return (
      <section className={styles.empty}>
        <h2>{t("empty.title")}</h2>
        <p>{t("empty.text")}</p>
      </section>
    );
  }
  return (
    <div className={styles.shape} aria-hidden="true" data-waiting="">
      <div className={styles.bar} />
      <div className={styles.cards}>
        <div />
        <div />
        <div />
        <div />
      </div>
      <div className={styles.chart} />
      <div className={styles.pair}>
        <div />
        <div />
      </div>
    </div>
  );
}

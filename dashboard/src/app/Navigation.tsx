import { useTranslation } from "react-i18next";
import { Link } from "../ui/Link";
import { usePageView, VIEWS } from "./address";
import styles from "./Navigation.module.css";

/** The page's views; the filters go along. */
export function Navigation() {
  const { t } = useTranslation();
  const shown = usePageView();
  return (
    <nav className={styles.navigation} aria-label={t("navigation.label")}>
      <ul className={styles.list}>
        {VIEWS.map((view) => (
          <li key={view}>
            <Link to={{ view }} className={styles.link} current={view === shown}>
              {t(`navigation.${view}`)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

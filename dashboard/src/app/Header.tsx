import { useTranslation } from "react-i18next";
import { chooseLanguage, isLanguage, LANGUAGE_NAMES, LANGUAGES, type Language } from "../i18n";
import { LeaveIcon, MoonIcon, SunIcon, WallIcon } from "../ui/icons";
import { Segmented } from "../ui/Segmented";
import styles from "./Header.module.css";
import { Navigation } from "./Navigation";
import { signOut } from "./sign-in/session";
import { chooseTheme, useTheme } from "./theme";
import { enterWall } from "./wall/leave";

const LANGUAGE_OPTIONS = LANGUAGES.map((value) => ({
  value,
  label: value.toUpperCase(),
  name: LANGUAGE_NAMES[value],
}));

interface Props {
  /** What there is to see; without it, the page only says what it is. */
  readonly open: boolean;
  /** Whether there is a session to end. */
  readonly signedIn: boolean;
}

export function Header({ open, signedIn }: Props) {
  const { t, i18n } = useTranslation();
  const theme = useTheme();
  const language: Language = isLanguage(i18n.language) ? i18n.language : "en";
  return (
    <header className={styles.header}>
      <div className={styles.bar}>
        <h1 className={styles.brand}>
          <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
            <rect width="32" height="32" rx="9" className={styles.mark} />
            <g fill="#fff">
              <rect x="8" y="16" width="4" height="8" rx="1.5" />
              <rect x="14" y="11.5" width="4" height="12.5" rx="1.5" />
              <rect x="20" y="7" width="4" height="17" rx="1.5" />
            </g>
          </svg>
          {t("app.title")}
        </h1>
        {open ? <Navigation /> : <p className={styles.tagline}>{t("app.tagline")}</p>}
        <div className={styles.controls}>
          <Segmented
            label={t("language.label")}
            name="language"
            options={LANGUAGE_OPTIONS}
            value={language}
            onChange={chooseLanguage}
          />
          <button type="button" className={styles.icon} aria-label={t("wall.enter")} title={t("wall.enter")} onClick={enterWall}>
            <WallIcon />
          </button>
          <button
            type="button"
            className={styles.icon}
            aria-label={t(theme === "dark" ? "theme.toLight" : "theme.toDark")}
            title={t(theme === "dark" ? "theme.toLight" : "theme.toDark")}
            onClick={() => { chooseTheme(theme === "dark" ? "light" : "dark"); }}
          >
            {theme === "dark" ? <SunIcon /> : <MoonIcon />}
          </button>
          {signedIn && (
            <button
              type="button"
              className={styles.icon}
              aria-label={t("session.signOut")}
              title={t("session.signOut")}
              onClick={() => void signOut().catch(() => undefined)}
            >
              <LeaveIcon />
            </button>
          )}
        </div>
      </div>
    </header>
  );
}

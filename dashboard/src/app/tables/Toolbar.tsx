/** What stands above a table: searching, which rows of how many, turning pages, the file. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { unmarked } from "../../live/mark";
import { SearchIcon } from "../../ui/icons";
import styles from "./Toolbar.module.css";

interface Props {
  readonly children: ReactNode;
}

export const Toolbar = ({ children }: Props) => <div className={styles.toolbar}>{children}</div>;

interface SearchProps {
  /** What is searched: "Search days and categories". */
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function Search({ label, value, onChange }: SearchProps) {
  return (
    <label className={styles.search}>
      <SearchIcon />
      <span className="hidden">{label}</span>
      <input
        type="search"
        value={value}
        placeholder={label}
        spellCheck={false}
        onChange={(event) => { onChange(event.target.value); }}
      />
    </label>
  );
}

interface PagerProps {
  /** What has the pages. */
  readonly of: string;
  /** "1–50 of 8,412". */
  readonly rows: string;
  readonly names: readonly [before: string, after: string];
  readonly before: (() => void) | null;
  readonly after: (() => void) | null;
}

/** The buttons stay where they are, and keep the focus, when there is nothing to turn to. */
export function Pager({ of, rows, names: [before, after], ...turn }: PagerProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.pager} role="group" aria-label={t("tables.pages", { of })}>
      <span className={`${styles.rows ?? ""} number`} data-testid="rows" {...unmarked("rows")}>
        {rows}
      </span>
      <button type="button" className={styles.button} aria-disabled={turn.before === null} onClick={() => { turn.before?.(); }}>
        {before}
      </button>
      <button type="button" className={styles.button} aria-disabled={turn.after === null} onClick={() => { turn.after?.(); }}>
        {after}
      </button>
    </div>
  );
}

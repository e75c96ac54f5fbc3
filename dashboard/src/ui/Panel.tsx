/** A titled box. Where it has a table behind its picture, a button changes between them. */
import { useId, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { TableIcon } from "./icons";
import styles from "./Panel.module.css";

interface Props {
  readonly title: string;
  /** What the title leaves open: the currency, the period. */
  readonly note?: string;
  readonly children: ReactNode;
  /** Said above the content: what it leaves out. */
  readonly partial?: string | null;
  /** Said instead of the content: that there is none, and what to do. */
  readonly missing?: ReactNode;
  /** Rendered instead of the children when asked for. */
  readonly table?: () => ReactNode;
  /** Whether the content reaches the panel's edges. */
  readonly flush?: boolean;
  /** The least height of the content (px), so that nothing moves when there is little of it. */
  readonly height?: number;
  /** Beside the title: what else can be done with the panel. */
  readonly tools?: ReactNode;
}

export function Panel({
  title,
  note,
  children,
  partial = null,
  missing = null,
  table,
  flush = false,
  height,
  tools,
}: Props) {
  const { t } = useTranslation();
  const id = useId();
  const [tabled, setTabled] = useState(false);
  return (
    <section className={styles.panel} aria-labelledby={id}>
      <header className={styles.header}>
        <h3 id={id} className={styles.title}>
          {title}
        </h3>
        {note !== undefined && <p className={styles.note}>{note}</p>}
        {tools !== undefined && <div className={styles.tools}>{tools}</div>}
        {table && missing === null && (
          <button
            type="button"
            className={styles.switch}
            aria-pressed={tabled}
            aria-label={t("panel.asTableLabel", { title })}
            onClick={() => { setTabled(!tabled); }}
          >
            <TableIcon />
            {t("panel.asTable")}
          </button>
        )}
      </header>
      <div className={flush && missing === null ? styles.flush : styles.body} style={{ minHeight: height }}>
        {partial !== null && missing === null && (
          <p className={flush ? `${styles.partial ?? ""} ${styles.indented ?? ""}` : styles.partial}>{partial}</p>
        )}
        {missing !== null ? <div className={styles.missing}>{missing}</div> : tabled && table ? table() : children}
      </div>
    </section>
  );
}

/** The box of a table. Its title is on the tab that leads to it; here it is told to those who do not see that. */
import { useId, type ReactNode } from "react";
import styles from "./Tables.module.css";

interface Props {
  readonly title: string;
  /** Said instead of the table: that there is none. */
  readonly missing: string | null;
  /** Said above it: what it leaves out. */
  readonly remarks: readonly (string | null)[];
  readonly children: ReactNode;
}

export function Sheet({ title, missing, remarks, children }: Props) {
  const id = useId();
  return (
    <section className={styles.sheet} aria-labelledby={id}>
      <h3 id={id} className="hidden">
        {title}
      </h3>
      {missing !== null ? (
        <p className={styles.missing}>{missing}</p>
      ) : (
        <>
          {remarks.map((remark) =>
            remark === null ? null : (
              <p key={remark} className={styles.remark}>
                {remark}
              </p>
            ),
          )}
          {children}
        </>
      )}
    </section>
  );
}

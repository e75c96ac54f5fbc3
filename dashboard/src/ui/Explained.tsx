/** A number that leads to what made it. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Moves } from "../app/address";
import styles from "./Explained.module.css";
import { Link } from "./Link";

interface Props {
  /** What the number is of, beside what the address says already. */
  readonly to: Moves;
  readonly children: ReactNode;
}

export function Explained({ to, children }: Props) {
  const { t } = useTranslation();
  return (
    <Link to={{ view: "explain", ...to }} className={styles.explained} title={t("explain.hint")}>
      {children}
    </Link>
  );
}

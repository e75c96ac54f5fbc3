import { useTranslation } from "react-i18next";
import { Link } from "../../ui/Link";
import { useAddress } from "../address";
import { useCurrencies } from "../figures";
import { FilterBar } from "../filters/FilterBar";
import { CorrectionsTable } from "./CorrectionsTable";
import { LedgerTable } from "./LedgerTable";
import { ProductTable } from "./ProductTable";
import { RejectedTable } from "./RejectedTable";
import { KINDS } from "./rows";
import styles from "./Tables.module.css";

const TABLES = [...KINDS, "product", "corrections", "rejected"] as const;

/** Every total as rows: sorted, searched, turned, and taken along as a file. */
export default function Tables() {
  const { t } = useTranslation();
  const [asked] = useAddress("table");
  const shown = TABLES.find((table) => table === asked) ?? "category";
  return (
    <>
      <FilterBar title={t("navigation.tables")} />
      <nav className={styles.choice} aria-label={t("tables.choose")}>
        <ul>
          {TABLES.map((table) => (
            <li key={table}>
              <Link to={{ table }} className={styles.tab} current={table === shown}>
                {t(`tables.${table}`)}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Shown table={shown} />
    </>
  );
}

function Shown({ table }: { readonly table: (typeof TABLES)[number] }) {
  const { t } = useTranslation();
  const { chosen } = useCurrencies();
  if (table === "corrections") return <CorrectionsTable />;
  if (table === "rejected") return <RejectedTable />;
  if (chosen === null) return <p className={styles.nothing}>{t("empty.text")}</p>;
  if (table === "product") return <ProductTable currency={chosen} />;
  return <LedgerTable key={table} kind={table} currency={chosen} />;
}

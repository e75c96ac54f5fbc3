import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import type { CurrencyInfo } from "../../live/ledger";
import { ExactIcon, UnequalIcon } from "../../ui/icons";
import { checkOf, type Counted } from "./check";
import styles from "./Explain.module.css";
import type { Made } from "./made";

/** What is summed, as the texts name it. */
export type Noun = "days" | "categories" | "methods" | "products" | "orders";

interface Props {
  readonly noun: Noun;
  /** How many were looked at, and what they come to. */
  readonly count: number;
  readonly counted: Counted;
  readonly all: boolean;
  readonly made: Made;
  readonly currency: CurrencyInfo;
}

export function CheckLine({ noun, count, counted, all, made, currency }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  if (made.total === null) return null;
  const money = (micros: bigint) => format.money(micros, currency.code, currency.minorUnits);
  const check = checkOf(counted, all, made.total.micros, made.epoch);
  const of = t(`explain.${noun}Count`, { count, number: format.count(count) });
  const words = () => {
    switch (check.is) {
      case "exact":
        return t("explain.exact", { count, of });
      case "part":
        return t("explain.part", { count, of, sum: money(counted.micros), total: money(made.total?.micros ?? 0n) });
      case "moved": {
        const { first, last } = check.epochs;
        const epochs = first === last ? t("explain.epoch", { epoch: last }) : t("explain.epochs", { first, last });
        return t("explain.moved", { count, of, sum: money(counted.micros), epochs, epoch: check.of });
      }
      case "differs":
        return t("explain.differs", { count, of, difference: money(check.by), epoch: check.of });
    }
  };
  return (
    <p className={styles.check} data-check={check.is}>
      {check.is === "exact" ? <ExactIcon /> : check.is === "differs" ? <UnequalIcon /> : null}
      <span>{words()}</span>
    </p>
  );
}

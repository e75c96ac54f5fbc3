/** How a number moved against another: an arrow and a percentage, and the same in words for those who do not see it. */
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import type { Change } from "../live/comparison";
import { unmarked } from "../live/mark";
import { DownIcon, LevelIcon, UpIcon } from "./icons";
import styles from "./Moved.module.css";

interface Props {
  readonly change: Change;
  /** What was compared with what. */
  readonly against: string;
}

export function Moved({ change, against }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  // The place is kept, so that nothing moves when a change comes or goes.
  if (change === null) return <span className={styles.moved} aria-hidden="true" />;
  if (change === "new") {
    return (
      <span className={styles.moved} title={t("compare.nothing", { against })}>
        {t("compare.new")}
      </span>
    );
  }
  const percent = format.change(change);
  const [Icon, tone, words] =
    change > 0
      ? [UpIcon, styles.up, t("compare.up", { percent, against })]
      : change < 0
        ? [DownIcon, styles.down, t("compare.down", { percent, against })]
        : [LevelIcon, styles.level, t("compare.level", { against })];
  return (
    <span className={`${styles.moved ?? ""} ${tone ?? ""} number`} title={words} {...unmarked("change")}>
      <Icon />
      <span aria-hidden="true">{percent}</span>
      <span className="hidden">{words}</span>
    </span>
  );
}

/** What is shown, and how far to trust it. */
import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import { isPreset } from "../../live/period";
import { unmarked } from "../../live/mark";
import { useLive } from "../../live/react";
import { useShown } from "../figures";
import { useNames } from "../names";
import { useProductNames } from "../listings";
import { useTrust } from "../trust";
import styles from "./Wall.module.css";

export function WallHead() {
  const { t } = useTranslation();
  const epoch = useLive((state) => state.epoch);
  const ready = useLive((state) => state.ready);
  const { trust, icon: Icon, name, detail } = useTrust();
  return (
    <header className={styles.head}>
      <div className={styles.what}>
        <h1>{ready ? <Period /> : t("app.title")}</h1>
        <p>{ready ? <Days /> : t("app.tagline")}</p>
      </div>
      <p className={styles.trust} data-trust={trust} data-epoch={epoch} aria-label={t("trust.label")}>
        <span className={styles.badge}>
          <Icon />
          {name}
        </span>
        <span className="number" {...unmarked("age")}>
          {detail}
        </span>
      </p>
    </header>
  );
}

/** The period by its name, and what it is narrowed to. */
function Period() {
  const { t } = useTranslation();
  const { period } = useShown();
  const { category, payment_method, product } = useLive((state) => state.narrowing);
  const names = useNames();
  const nameOf = useProductNames(product === null ? [] : [product]);
  const parts = [
    isPreset(period) ? t(`period.${period}`) : null,
    category === null ? null : names.category(category),
    payment_method === null ? null : names.method(payment_method),
    product === null ? null : nameOf(product),
  ];
  const said = parts.filter((part) => part !== null).join(" · ");
  return said === "" ? t("app.title") : said;
}

function Days() {
  const { t } = useTranslation();
  const format = useFormat();
  const { span } = useShown();
  const { from, to } = span;
  if (from === null || to === null) return t("app.tagline");
  return from === to ? format.weekday(to) : t("overview.range", { from: format.day(from), to: format.day(to) });
}

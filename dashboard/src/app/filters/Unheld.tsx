/** Said in a panel's place where no view holds what the filters ask of it, with the way out. */
import { useTranslation } from "react-i18next";
import { narrowed, type Dimension, type Holding } from "../../live/holding";
import { useLive } from "../../live/react";
import { CrossIcon } from "../../ui/icons";
import { move, useNarrowing } from "../address";
import { obstacles, type Obstacles } from "./obstacle";
import { useFilterNames } from "./words";
import styles from "./Unheld.module.css";

/** `split` is what the panel tells apart. */
export function Unheld({ split, missing }: { readonly split: Dimension | null; readonly missing: Holding }) {
  const { t } = useTranslation();
  const by = useNarrowing();
  const off = useLive((state) => state.off);
  const switchable = missing.view === null ? missing.switchable : null;
  return (
    <div className={styles.unheld}>
      <p>{switchable === null ? t("held.never") : t("held.off", { view: switchable })}</p>
      <WaysOut {...obstacles(by, split, off)} />
    </div>
  );
}

/** For what is counted of all sales alone, whatever view is on. */
export function OnlyOfAll() {
  const { t } = useTranslation();
  const by = useNarrowing();
  return (
    <div className={styles.unheld}>
      <p>{t("held.onlyOfAll")}</p>
      <WaysOut filters={narrowed(by)} enough="all" />
    </div>
  );
}

function WaysOut({ filters, enough }: Obstacles) {
  const { t } = useTranslation();
  const name = useFilterNames();
  const dropped = (all: readonly Dimension[]) => {
    move(Object.fromEntries(all.map((dimension) => [dimension, null])));
  };
  if (filters.length === 0) return null;
  const ways = enough === "all" ? [filters] : filters.map((dimension) => [dimension]);
  return (
    <p className={styles.ways}>
      {ways.map((way) => (
        <button key={way.join()} type="button" className={styles.drop} onClick={() => { dropped(way); }}>
          <CrossIcon />
          {way.length > 1 ? t("held.dropAll") : t("held.drop", { filter: way.map(name).join() })}
        </button>
      ))}
    </p>
  );
}

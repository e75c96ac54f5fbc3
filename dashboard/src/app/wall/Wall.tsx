/**
 * The page on a wall: large numbers without anything to click, scroll or read twice. It obeys the address as the page
 * does, and rotates nothing: what is looked up to is always there.
 */
import { useTranslation } from "react-i18next";
import { useLive } from "../../live/react";
import { Calmly } from "../Calmly";
import { useCurrencies } from "../figures";
import { Waiting } from "../Waiting";
import { useDark } from "./dark";
import { leaveWall, useEscape } from "./leave";
import { useUnit } from "./unit";
import { useWakeLock } from "./wake";
import styles from "./Wall.module.css";
import { WallDays } from "./WallDays";
import { WallHead } from "./WallHead";
import { WallBest, WallCategories } from "./WallLists";
import { WallTotals } from "./WallTotals";

const BASE = 16;

export default function Wall() {
  const { t } = useTranslation();
  const unit = useUnit();
  const ready = useLive((state) => state.ready);
  const { chosen } = useCurrencies();
  useDark();
  useWakeLock();
  useEscape();
  return (
    <main id="numbers" className={styles.wall} style={{ fontSize: unit * BASE }} tabIndex={-1}>
      <button type="button" className={styles.leave} onClick={leaveWall}>
        {t("wall.leave")}
      </button>
      <WallHead />
      {ready && chosen ? (
        <>
          <WallTotals />
          <div className={styles.lower}>
            <Calmly><WallDays currency={chosen} unit={unit} /></Calmly>
            <Calmly><WallCategories currency={chosen} /></Calmly>
            <Calmly><WallBest currency={chosen} /></Calmly>
          </div>
        </>
      ) : (
        <Waiting empty={ready} />
      )}
    </main>
  );
}

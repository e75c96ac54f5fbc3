import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { sameNarrowing } from "../live/holding";
import { useLive, useLiveStore } from "../live/react";
import { periodOf } from "../live/period";
import { useAddress, useNarrowing } from "./address";
import styles from "./App.module.css";
import { Announcer } from "./Announcer";
import { Header } from "./Header";
import { Overview } from "./Overview";
import { Waiting } from "./Waiting";
import { TrustLine } from "./TrustLine";

export function App() {
  const { t } = useTranslation();
  const store = useLiveStore();
  const ready = useLive((state) => state.ready);
  const empty = useLive((state) => state.ready && state.currencies.length === 0);
  const [periodText] = useAddress("period");
  const period = periodOf(periodText);
  const narrowing = useNarrowing();
  useEffect(() => {
    const { wanted, wantedNarrowing } = store.getState();
    if (wanted !== period || !sameNarrowing(wantedNarrowing, narrowing)) store.show({ period, narrowing });
  }, [store, period, narrowing]);

  return (
    <>
      <a className={styles.skip} href="#numbers">
        {t("app.skip")}
      </a>
      <Header />
      <main id="numbers" className={styles.main} tabIndex={-1}>
        <TrustLine />
        {ready && !empty ? <Overview /> : <Waiting empty={empty} />}
      </main>
      <Announcer />
    </>
  );
}

import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "../live/react";
import { useAddress } from "./address";
import styles from "./App.module.css";
import { Announcer } from "./Announcer";
import { Header } from "./Header";
import { Overview } from "./Overview";
import { useShowing } from "./showing";
import { Waiting } from "./Waiting";
import { TrustLine } from "./TrustLine";

const Wall = lazy(() => import("./wall/Wall"));

export function App() {
  const { t } = useTranslation();
  const ready = useLive((state) => state.ready);
  const empty = useLive((state) => state.ready && state.currencies.length === 0);
  const [wall] = useAddress("wall");
  useShowing();
  if (wall !== null) {
    return (
      <>
        <Suspense>
          <Wall />
        </Suspense>
        <Announcer />
      </>
    );
  }

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

import { lazy, Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "../live/react";
import { useAddress, usePageView, type PageView } from "./address";
import styles from "./App.module.css";
import { Announcer } from "./Announcer";
import { Calmly } from "./Calmly";
import { Header } from "./Header";
import { Overview } from "./Overview";
import { useShowing } from "./showing";
import { askSession, useSession } from "./sign-in/session";
import { SignIn } from "./sign-in/SignIn";
import { Waiting } from "./Waiting";
import { TrustLine } from "./TrustLine";

const Tables = lazy(() => import("./tables/Tables"));
const Explain = lazy(() => import("./explain/Explain"));
const Wall = lazy(() => import("./wall/Wall"));

/** The page, or the form that opens it. */
export function App() {
  const { t } = useTranslation();
  const { needed, signed_in } = useSession();
  const open = !needed || signed_in;
  const [wall] = useAddress("wall");
  if (open && wall !== null) return <OnTheWall />;
  return (
    <>
      <a className={styles.skip} href="#numbers">
        {t("app.skip")}
      </a>
      <Header open={open} signedIn={needed && signed_in} />
      {open ? <Numbers /> : <SignIn />}
    </>
  );
}

function OnTheWall() {
  useShowing();
  useSessionCheck();
  return (
    <>
      <Suspense>
        <Wall />
      </Suspense>
      <Announcer />
    </>
  );
}

function Numbers() {
  useShowing();
  useSessionCheck();
  return (
    <>
      <main id="numbers" className={styles.main} tabIndex={-1}>
        <TrustLine />
        <View />
      </main>
      <Announcer />
    </>
  );
}

/**
 * A stream that is refused does not say why: a session may have ended. Asked each time, as a service that is started
 * again, perhaps with another token, answers nothing at first.
 */
function useSessionCheck(): void {
  const lost = useLive((state) => state.contact === "lost");
  const refused = useLive((state) => state.refused);
  useEffect(() => {
    if (lost) void askSession();
  }, [lost, refused]);
}

function View() {
  const view = usePageView();
  const ready = useLive((state) => state.ready);
  const empty = useLive((state) => state.ready && state.currencies.length === 0);
  useTitle(view);
  // What could not be read is there to be looked at, sales or none.
  if (!ready || (empty && view !== "tables")) return <Waiting empty={empty} />;
  if (view === "overview") return <Overview />;
  return <Suspense fallback={<Waiting empty={false} />}><Calmly>{view === "tables" ? <Tables /> : <Explain />}</Calmly></Suspense>;
}

/** The window says which view it shows, and another view begins at its top. */
function useTitle(view: PageView): void {
  const { t } = useTranslation();
  const before = useRef(view);
  const name = t("app.title");
  const title = view === "overview" ? name : `${t(`navigation.${view}`)} · ${name}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    if (before.current === view) return;
    before.current = view;
    window.scrollTo(0, 0);
  }, [view]);
}

import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { narrowedIn } from "../live/narrowed";
import { useLiveStore } from "../live/react";
import type { LiveState } from "../live/store";
import { spanOf } from "../live/period";
import { counted, perCurrency } from "../live/totals";
import { trustOf, type Trust } from "../live/trust";

/** Numbers are told at most this often; a change of trust at once. */
const TELL_MS = 30_000;
const LOOK_MS = 1_000;

/** The page's one live region: polite, and seldom. */
export function Announcer() {
  const { t } = useTranslation();
  const format = useFormat();
  const store = useLiveStore();
  const [text, setText] = useState("");
  const told = useRef<{ trust: Trust; epoch: number; at: number } | null>(null);
  useEffect(() => {
    const tell = (state: LiveState, trust: Trust): string => {
      const sentences = [t("announce.state", { state: t(`trust.${trust}`) })];
      // Of what the page is narrowed to, as all that is seen: where no view holds that, there is no number to tell.
      const narrowed = narrowedIn(state, null);
      if ("table" in narrowed) {
        const sums = perCurrency(narrowed.table, spanOf(state.period, state.anchor));
        sentences.push(t("announce.orders", { orders: format.count(counted(sums).orders) }));
        for (const { code, minorUnits } of state.currencies) {
          const total = format.money(sums.get(code)?.micros ?? 0n, code, minorUnits);
          sentences.push(t("announce.total", { total }));
        }
      }
      return sentences.join(" ");
    };
    const look = () => {
      const state = store.getState();
      const now = Date.now();
      const trust = trustOf(state, now);
      const last = told.current;
      const turned = last?.trust !== trust;
      const due = last !== null && last.epoch !== state.epoch && now - last.at >= TELL_MS;
      if (!turned && !due) return;
      told.current = { trust, epoch: state.epoch, at: now };
      setText(tell(state, trust));
    };
    const timer = setInterval(look, LOOK_MS);
    return () => { clearInterval(timer); };
  }, [store, t, format]);
  return (
    <p className="hidden" role="status" aria-live="polite">
      {text}
    </p>
  );
}

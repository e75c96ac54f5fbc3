import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { fetchCorrections } from "../api/client";
import type { Correction, OrderVersion } from "../api/types";
import { useFormat } from "../i18n/format";
import { parseAmount } from "../live/amount";
import { useLive } from "../live/react";
import { ArrowIcon } from "../ui/icons";
import { Panel } from "../ui/Panel";
import { useCalm } from "./calm";
import { useNames } from "./names";
import { Why } from "./Why";
import styles from "./CorrectionsPanel.module.css";

const SHOWN = 5;
/** Of all of them, so that nothing moves when they come. */
const HEIGHT = 220;

/** The newest corrections; asked for again only when the stream's counters say that there are new ones. */
export function CorrectionsPanel() {
  const { t } = useTranslation();
  const known = useLive(({ counts }) => counts.corrections + counts.cancellations);
  const version = useCalm(known, 2_000);
  const { data, isError } = useQuery({
    queryKey: ["corrections", version],
    queryFn: ({ signal }) => fetchCorrections(SHOWN, signal),
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  });
  const rows = data?.rows ?? [];
  return (
    <Panel height={HEIGHT} title={t("panel.corrections")}>
      {rows.length > 0 ? (
        <ol className={styles.list}>
          {rows.map((row) => (
            <Line key={`${row.topic} ${row.partition} ${row.offset}`} correction={row} />
          ))}
        </ol>
      ) : (
        <p className={styles.none}>
          {isError ? t("panel.correctionsFailed") : data ? t("panel.noCorrections") : ""}
        </p>
      )}
    </Panel>
  );
}

function Line({ correction: { order_id, why, was, now } }: { readonly correction: Correction }) {
  const { t } = useTranslation();
  const [before, after] = useDifference(was ?? null, now ?? null);
  return (
    <li className={styles.line}>
      <span className={styles.order} title={order_id}>
        {order_id}
      </span>
      <Why why={why} />
      <span className={`${styles.change ?? ""} number`}>
        {before !== null && (
          <del>
            <span className="hidden">{t("correction.from", { value: "" })}</span>
            {before}
          </del>
        )}
        {after !== null && (
          <>
            <ArrowIcon />
            <ins>
              <span className="hidden">{t("correction.to", { value: "" })}</span>
              {after}
            </ins>
          </>
        )}
      </span>
    </li>
  );
}

/** What the correction changed, before and after: the amount where it differs, else the first that does. */
function useDifference(was: OrderVersion | null, now: OrderVersion | null): [string | null, string | null] {
  const format = useFormat();
  const names = useNames();
  const currencies = useLive((state) => state.currencies);
  const money = ({ amount, currency }: OrderVersion) =>
    format.money(
      parseAmount(amount),
      currency,
      currencies.find(({ code }) => code === currency)?.minorUnits ?? null,
    );
  if (!was || !now) return [was && money(was), now && money(now)];
  if (was.amount !== now.amount || was.currency !== now.currency) return [money(was), money(now)];
  if (was.order_date !== now.order_date) return [format.day(was.order_date), format.day(now.order_date)];
  if (was.product !== now.product) return [was.product ?? "–", now.product ?? "–"];
  if (was.category !== now.category) return [names.category(was.category ?? null), names.category(now.category ?? null)];
  if (was.payment_method !== now.payment_method) return [names.method(was.payment_method), names.method(now.payment_method)];
  if (was.units !== now.units) return [format.count(was.units), format.count(now.units)];
  return [money(was), money(now)];
}

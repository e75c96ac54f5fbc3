import { keepPreviousData } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { fetchCorrections } from "../api/client";
import type { Correction } from "../api/types";
import { Panel } from "../ui/Panel";
import { useAsked } from "./asked";
import { useCalm } from "./calm";
import { Difference } from "./Difference";
import { LIST_REST_MS, useVersion } from "./lists";
import { Why } from "./Why";
import styles from "./CorrectionsPanel.module.css";

const SHOWN = 5;
/** How soon it is tried again after a failure, until the rows are there (ms). */
const AGAIN_MS = 15_000;
/** Of all of them, so that nothing moves when they come. */
const HEIGHT = 220;

/** The newest corrections; asked for again only when the stream says that there is something new in them. */
export function CorrectionsPanel() {
  const { t } = useTranslation();
  const version = useCalm(useVersion("corrections"), LIST_REST_MS);
  const { data, isError } = useAsked(["corrections"], version, (signal) => fetchCorrections(SHOWN, signal), {
    placeholderData: keepPreviousData,
    // Another correction may be days away, and nobody need look at the page to press a button.
    refetchInterval: ({ state }) => (state.status === "error" ? AGAIN_MS : false),
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

function Line({ correction }: { readonly correction: Correction }) {
  const { order_id, why } = correction;
  return (
    <li className={styles.line}>
      <span className={styles.order} title={order_id}>
        {order_id}
      </span>
      <Why why={why} />
      <span className={styles.change}>
        <Difference correction={correction} first />
      </span>
    </li>
  );
}

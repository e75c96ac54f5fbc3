import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { fetchAudit } from "../api/client";
import type { DayProof, Proofs } from "../api/types";
import { useFormat } from "../i18n/format";
import { proofOf, stretchesOf } from "../live/proof";
import { useLive } from "../live/react";
import { ScrollBox } from "../ui/ScrollBox";
import { useCalm, useNow } from "./calm";
import { follow } from "./tables/follow";
import styles from "./TrustLine.module.css";

/** Days are proven without an epoch of their own: asked for again when the stream says something, and not oftener. */
const ASK_MS = 60_000;
/** And where it says nothing: a difference that is found at night must not wait for the first sale of the morning. */
const QUIET_MS = 120_000;
/** Days asked for at once: some years of them, and all are asked for, as the one that differs may be the oldest. */
const LISTED = 1_000;

/** How many of the closed days are proven, when the last one was, and what was found wrong. */
export function ProofLine() {
  const contact = useLive((state) => state.contact);
  const epoch = useCalm(useLive((state) => state.epoch), ASK_MS);
  const { data } = useQuery({
    queryKey: ["audit", epoch, contact === "open"],
    queryFn: ({ signal }) => fetchAudit(1, null, signal),
    enabled: contact === "open",
    refetchInterval: QUIET_MS,
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  });
  return data ? <Proven proofs={data.proofs} version={epoch} /> : null;
}

function Proven({ proofs, version }: { readonly proofs: Proofs; readonly version: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const skew = useLive(({ clockSkew }) => clockSkew);
  const now = useNow(30_000);
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (event: Event) => {
      const inside = event.target instanceof Node && box.current?.contains(event.target) === true;
      if (event instanceof KeyboardEvent ? event.key !== "Escape" : inside) return;
      setOpen(false);
      // The key does one thing at a time: it does not lead back from a zoomed period as well.
      if (event instanceof KeyboardEvent) event.preventDefault();
    };
    document.addEventListener("keydown", leave);
    document.addEventListener("pointerdown", leave);
    return () => {
      document.removeEventListener("keydown", leave);
      document.removeEventListener("pointerdown", leave);
    };
  }, [open]);
  const proof = proofOf(proofs);
  if (proof === "none") return null;
  const { days, proven, differing, not_provable, inconsistent_groups, last_proven_at } = proofs;
  const counted = (key: "proof.notProvable" | "proof.differing" | "proof.inconsistent", count: number) =>
    count > 0 ? t(key, { count, number: format.count(count) }) : null;
  const age = typeof last_proven_at === "string" ? Math.max(0, now + skew - Date.parse(last_proven_at)) : null;
  const said = [
    t("proof.proven", { proven: format.count(proven), days: format.count(days) }),
    age === null ? null : t("proof.last", { age: format.ago(age) }),
    counted("proof.notProvable", not_provable),
    counted("proof.differing", differing),
    counted("proof.inconsistent", inconsistent_groups),
  ];
  return (
    <div ref={box} className={styles.proof} data-proof={proof}>
      <button
        type="button"
        className={styles.open}
        aria-expanded={open}
        data-testid="proof"
        title={t("proof.hint")}
        onClick={() => { setOpen(!open); }}
      >
        {said.filter((part) => part !== null).join(", ")}
      </button>
      {open && <Days version={version} proofs={proofs} />}
    </div>
  );
}

/** What was found of which days; asked for again whenever the line says something else. */
function Days({ version, proofs }: { readonly version: number; readonly proofs: Proofs }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { data } = useQuery({
    queryKey: ["audit days", version, proofs],
    queryFn: async ({ signal }) => {
      const days: DayProof[] = [];
      await follow((cursor) => fetchAudit(LISTED, cursor, signal), (rows) => { days.push(...rows); }, signal);
      return days;
    },
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  });
  const stretches = stretchesOf(data ?? []);
  return (
    <ScrollBox className={styles.days} label={t("proof.hint")}>
      <ul>
        {stretches.map(({ state, from, to }) => (
          <li key={to} data-state={state}>
            <span>{from === to ? format.day(to) : t("overview.range", { from: format.day(from), to: format.day(to) })}</span>
            <span>{t(`proof.state.${state}`)}</span>
          </li>
        ))}
      </ul>
    </ScrollBox>
  );
}

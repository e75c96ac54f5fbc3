import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { fetchAudit } from "../api/client";
import type { Proofs } from "../api/types";
import { useFormat } from "../i18n/format";
import { proofOf } from "../live/proof";
import { useLive } from "../live/react";
import { useNow } from "./calm";
import styles from "./TrustLine.module.css";

/** Days are proven without an epoch, so the stream says nothing of it: ask now and then. */
const ASK_MS = 60_000;

/** How many of the closed days are proven, when the last one was, and what was found wrong. */
export function ProofLine() {
  const { data } = useQuery({
    queryKey: ["audit"],
    queryFn: ({ signal }) => fetchAudit(signal),
    placeholderData: keepPreviousData,
    refetchInterval: ASK_MS,
  });
  return data ? <Proven proofs={data.proofs} /> : null;
}

function Proven({ proofs }: { readonly proofs: Proofs }) {
  const { t } = useTranslation();
  const format = useFormat();
  const skew = useLive(({ clockSkew }) => clockSkew);
  const now = useNow(30_000);
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
    <p className={styles.proof} data-proof={proof} data-testid="proof" title={t("proof.hint")}>
      {said.filter((part) => part !== null).join(", ")}
    </p>
  );
}

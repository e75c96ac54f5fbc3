import type { ComponentType } from "react";
import { useTranslation } from "react-i18next";
import type { Counters } from "../api/types";
import { useFormat, type Format } from "../i18n/format";
import { useLive } from "../live/react";
import { markOf } from "../live/mark";
import type { LiveState } from "../live/store";
import { ageOf, trustOf, type Trust } from "../live/trust";
import { Flash } from "../ui/Flash";
import { BehindIcon, IdleIcon, LiveIcon, LostIcon, StartingIcon } from "../ui/icons";
import { useNow } from "./calm";
import { ProofLine } from "./ProofLine";
import styles from "./TrustLine.module.css";

const ICONS: Record<Trust, ComponentType> = {
  live: LiveIcon,
  behind: BehindIcon,
  idle: IdleIcon,
  lost: LostIcon,
  starting: StartingIcon,
};
const COUNTS = ["read", "duplicates", "corrections", "cancellations", "rejected"] as const;
const JUST_NOW_MS = 2_000;

/** Whether the numbers are those of this moment, how old the newest is, and what became of the records. */
export function TrustLine() {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(1_000);
  const state = useLive((live) => live);
  const trust = trustOf(state, now);
  const Icon = ICONS[trust];
  return (
    <section className={styles.line} aria-label={t("trust.label")} data-trust={trust} data-epoch={state.epoch}>
      <p className={styles.state}>
        <span className={styles.badge}>
          <Icon />
          {t(`trust.${trust}`)}
        </span>
        <span className={`${styles.detail ?? ""} number`}>{useDetail(trust, state, now, format)}</span>
      </p>
      <ProofLine />
      <Counts counts={state.counts} ready={state.ready} />
    </section>
  );
}

function useDetail(trust: Trust, state: LiveState, now: number, format: Format): string {
  const { t } = useTranslation();
  const age = ageOf(state, now);
  const ago = age === null ? null : age < JUST_NOW_MS ? t("trust.justNow") : format.ago(age);
  switch (trust) {
    case "live":
      return ago === null ? "" : t("trust.newest", { age: ago });
    case "behind":
      return state.frozen
        ? t("trust.reloading")
        : t("trust.backlog", { age: format.duration(state.backlog ?? 0) });
    case "idle":
      return ago === null ? t("trust.nothingYet") : t("trust.nothingNew", { age: ago });
    case "lost":
      if (state.contact === "away") return t("trust.away");
      return state.ready && state.committedAt !== null
        ? t("trust.asOf", { time: format.clock(state.committedAt) })
        : t("trust.noNumbers");
    case "starting":
      return state.problem === null ? t("trust.loading") : t("trust.problem", { problem: state.problem });
  }
}

function Counts({ counts, ready }: { readonly counts: Counters; readonly ready: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <dl className={styles.counts} aria-label={t("counts.label")}>
      {COUNTS.map((name) => (
        <div key={name} title={t(`counts.${name}Hint`)} data-testid={`count-${name}`}>
          <dt>{t(`counts.${name}`)}</dt>
          <dd>
            <Flash
              value={counts[name]}
              scope={String(ready)}
              text={ready ? format.count(counts[name]) : "–"}
              of={ready ? markOf("sources", name) : undefined}
            />
          </dd>
        </div>
      ))}
    </dl>
  );
}

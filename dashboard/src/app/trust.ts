/** How far to trust the numbers, in words, colour and shape. */
import type { ComponentType } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { useLive } from "../live/react";
import { ageOf, BEHIND_MS, trustOf, type Trust } from "../live/trust";
import { BehindIcon, IdleIcon, LiveIcon, LostIcon, StartingIcon } from "../ui/icons";
import { useNow } from "./calm";

const ICONS: Record<Trust, ComponentType> = {
  live: LiveIcon,
  behind: BehindIcon,
  idle: IdleIcon,
  lost: LostIcon,
  starting: StartingIcon,
};
const JUST_NOW_MS = 2_000;

export interface TrustSaid {
  readonly trust: Trust;
  readonly icon: ComponentType;
  readonly name: string;
  /** Why, and how old the newest number is. */
  readonly detail: string;
}

export function useTrust(): TrustSaid {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(1_000);
  const state = useLive((live) => live);
  const trust = trustOf(state, now);
  const age = ageOf(state, now);
  const ago = age === null ? null : age < JUST_NOW_MS ? t("trust.justNow") : format.ago(age);
  const newest = ago === null ? "" : t("trust.newest", { age: ago });
  const why = (): string => {
    switch (trust) {
      case "live":
        return newest;
      case "behind":
        if (state.frozen) return t("trust.reloading");
        if (state.contact === "resting") return t("trust.resting");
        return t("trust.backlog", { age: format.duration(state.backlog ?? 0) });
      case "idle":
        if (ago === null) return t("trust.nothingYet");
        return (state.backlog ?? 0) > BEHIND_MS
          ? t("trust.nothingSince", { age: ago, backlog: format.duration(state.backlog ?? 0) })
          : t("trust.nothingNew", { age: ago });
      case "lost":
        if (state.contact === "away") return t("trust.away");
        return state.ready && state.committedAt !== null
          ? t("trust.asOf", { time: format.clock(state.committedAt) })
          : t("trust.noNumbers");
      case "starting":
        return state.problem === null ? t("trust.loading") : t("trust.problem", { problem: state.problem });
    }
  };
  const older = (trust === "behind" || trust === "lost") && state.ready && newest !== "";
  return {
    trust,
    icon: ICONS[trust],
    name: t(`trust.${trust}`),
    detail: older ? `${why()}, ${newest}` : why(),
  };
}

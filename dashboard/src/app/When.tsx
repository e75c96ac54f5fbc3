import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { instant } from "../live/ledger";
import { unmarked } from "../live/mark";

interface Props {
  /** The moment, where the log has one. */
  readonly at: string | null | undefined;
  readonly epoch: number;
}

/** When something was counted: the moment where it is known, and the epoch. */
export function When({ at, epoch }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const moment = instant(at ?? null);
  const name = t("table.inEpoch", { epoch });
  if (moment === null) return <span className="number" {...unmarked("epoch")}>{name}</span>;
  return (
    <time className="number" {...unmarked("moment")} dateTime={at ?? undefined} title={name}>
      {format.clock(moment)}
    </time>
  );
}

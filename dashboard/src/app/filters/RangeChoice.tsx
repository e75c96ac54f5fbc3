/** Any range of days: two dates in a popover, in the browser's own inputs. */
import { Popover } from "@base-ui/react/popover";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { isDay, rangeOf } from "../../live/period";
import styles from "./RangeChoice.module.css";
import { useShownDays } from "./days";

interface Props {
  readonly className: string;
  readonly face: ReactNode;
  readonly onChoose: (period: string) => void;
}

export default function RangeChoice({ className, face, onChoose }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={className} title={t("period.choose")}>
        {face}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner className={styles.positioner} align="end" sideOffset={6} collisionPadding={12}>
          <Popover.Popup className={styles.popup}>
            <Popover.Title className={styles.title}>{t("period.choose")}</Popover.Title>
            <Dates
              onChoose={(period) => {
                setOpen(false);
                onChoose(period);
              }}
            />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Dates({ onChoose }: { readonly onChoose: (period: string) => void }) {
  const { t } = useTranslation();
  const days = useShownDays();
  const [from, setFrom] = useState(days?.from ?? "");
  const [to, setTo] = useState(days?.to ?? "");
  const complete = isDay(from) && isDay(to);
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (complete) onChoose(rangeOf(from, to));
      }}
    >
      <label>
        {t("period.from")}
        <input type="date" value={from} required onChange={({ target }) => { setFrom(target.value); }} />
      </label>
      <label>
        {t("period.to")}
        <input type="date" value={to} required onChange={({ target }) => { setTo(target.value); }} />
      </label>
      <button type="submit" className={styles.show} disabled={!complete}>
        {t("period.show")}
      </button>
    </form>
  );
}

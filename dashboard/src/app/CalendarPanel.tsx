import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { tooltip } from "../charts/Chart";
import { HeatLegend, HeatMap, type HeatDay } from "../charts/HeatMap";
import { useFormat } from "../i18n/format";
import { shadeOf, shadesOf } from "../live/calendar";
import type { CurrencyInfo } from "../live/ledger";
import { rangeOf, within } from "../live/period";
import { NOTHING, perDay } from "../live/totals";
import { DataTable } from "../ui/DataTable";
import { Exact } from "../ui/Exact";
import { ChevronIcon } from "../ui/icons";
import { Panel } from "../ui/Panel";
import { move } from "./address";
import styles from "./CalendarPanel.module.css";
import { usePartial, useShown } from "./figures";
import { Unheld } from "./filters/Unheld";
import { markOfPart, useNarrow, type Column } from "./narrowing";

/** All days of a year, those of the period strong and the others pale: to see a rhythm, and to pick a day. */
export function CalendarPanel({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { code, minorUnits } = currency;
  const { span, anchor, period } = useShown();
  const { part, missing } = useNarrow(null);
  const [turned, turn] = useState<{ readonly period: string; readonly year: string } | null>(null);
  const newest = (span.to ?? anchor).slice(0, 4);
  // Another period is another year to look at.
  const year = turned?.period === period ? turned.year : newest;
  const first = useMemo(() => {
    let oldest = anchor;
    for (const entry of part?.entries() ?? []) if (entry.period < oldest) oldest = entry.period;
    return oldest.slice(0, 4);
  }, [part, anchor]);
  const last = anchor > newest ? anchor.slice(0, 4) : newest;
  const days = useMemo(
    () => (part ? perDay(part, code, { from: `${year}-01-01`, to: `${year}-12-31` }, anchor) : []),
    [part, code, year, anchor],
  );
  const byDay = useMemo(() => new Map(days.map((day) => [day.period, day])), [days]);
  const shades = useMemo(() => shadesOf(days), [days]);
  const held = part?.from ?? null;
  const dayOf = useCallback(
    (day: string): HeatDay => {
      const sum = byDay.get(day) ?? NOTHING;
      const unknown = (held !== null && day < held) || (day > anchor && sum.orders === 0);
      return { shade: unknown ? null : shadeOf(sum.micros, shades), inside: within(day, span) };
    },
    [byDay, shades, held, anchor, span],
  );
  const tip = useCallback(
    (day: string) => {
      const sum = byDay.get(day) ?? NOTHING;
      const lines: [string, string][] = [
        [t("table.total"), format.money(sum.micros, code, minorUnits)],
        [t("table.orders"), format.count(sum.orders)],
      ];
      return tooltip(format.weekday(day), lines, t("calendar.pick"));
    },
    [byDay, format, code, minorUnits, t],
  );
  const pick = useCallback((day: string) => { move({ period: rangeOf(day, day) }); }, []);
  const mark = (day: string, column: Column) => markOfPart(part, column, { from: day, to: day }, { currency: code });
  const title = t("panel.calendar");
  const sold = days.filter(({ orders }) => orders !== 0);
  const said = { currency: code, year, count: sold.length, number: format.count(sold.length) };
  const whole = held === null || held <= `${year}-01-01`;
  return (
    <Panel
      title={title}
      note={`${code} · ${year}`}
      missing={missing && <Unheld split={null} missing={missing} />}
      partial={usePartial(part?.view ?? "sales_per_day")}
      tools={
        <>
          <HeatLegend less={t("calendar.less")} more={t("calendar.more")} />
          <Turn name={t("calendar.before")} year={year} by={-1} ends={first} onTurn={(to) => { turn({ period, year: to }); }} />
          <Turn name={t("calendar.after")} year={year} by={1} ends={last} onTurn={(to) => { turn({ period, year: to }); }} />
        </>
      }
      table={() => (
        <DataTable
          caption={`${title}, ${code}, ${year}`}
          columns={[t("table.day"), t("table.total"), t("table.orders"), t("table.units")]}
          rows={sold.toReversed().map((day) => ({
            key: day.period,
            choose: { name: format.day(day.period), onChoose: () => { pick(day.period); } },
            cells: [
              format.day(day.period),
              <Exact key="total" of={mark(day.period, "total_sales")} value={day.micros} text={format.money(day.micros, code, minorUnits)} />,
              <Exact key="orders" of={mark(day.period, "orders")} value={day.orders} text={format.count(day.orders)} />,
              <Exact key="units" of={mark(day.period, "units")} value={day.units} text={format.count(day.units)} />,
            ],
          }))}
        />
      )}
    >
      <HeatMap
        year={year}
        label={whole ? t("calendar.label", said) : t("calendar.labelSince", { ...said, day: format.day(held) })}
        dayOf={dayOf}
        tip={tip}
        onPick={pick}
      />
    </Panel>
  );
}

interface TurnProps {
  readonly name: string;
  readonly year: string;
  readonly by: 1 | -1;
  /** The last year in that direction. */
  readonly ends: string;
  readonly onTurn: (year: string) => void;
}

function Turn({ name, year, by, ends, onTurn }: TurnProps) {
  return (
    <button
      type="button"
      className={`${styles.turn ?? ""} ${by < 0 ? (styles.before ?? "") : (styles.after ?? "")}`}
      aria-label={name}
      title={name}
      disabled={by < 0 ? year <= ends : year >= ends}
      onClick={() => { onTurn(String(Number(year) + by).padStart(4, "0")); }}
    >
      <ChevronIcon />
    </button>
  );
}

import type { ColumnDef, SortingState } from "@tanstack/react-table";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Correction, OrderVersion } from "../../api/types";
import { unmarked } from "../../live/mark";
import { Difference } from "../Difference";
import { useCurrencies, useShown, useShownNarrowing } from "../figures";
import { When } from "../When";
import { Why } from "../Why";
import type { Field } from "./csv";
import { ListTable } from "./ListTable";

const NUMERIC = new Set<string>();
const SORTABLE = ["when"];
const USUAL: SortingState = [{ id: "when", desc: true }];
const keyOf = ({ topic, partition, offset }: Correction) => `${topic} ${partition} ${offset}`;

const side = (
  which: "was" | "now",
  column: keyof OrderVersion,
  exact = false,
): Field<Correction> => ({
  name: `${which}_${column}`,
  of: (row) => row[which]?.[column] ?? null,
  exact,
});

const FIELDS: readonly Field<Correction>[] = [
  { name: "epoch", of: ({ epoch }) => epoch },
  { name: "noticed_at", of: ({ noticed_at }) => noticed_at ?? null },
  { name: "why", of: ({ why }) => why },
  { name: "topic", of: ({ topic }) => topic },
  { name: "partition", of: ({ partition }) => partition },
  { name: "offset", of: ({ offset }) => offset },
  { name: "order_id", of: ({ order_id }) => order_id },
  ...(["was", "now"] as const).flatMap((which) => [
    side(which, "order_date"),
    side(which, "category"),
    side(which, "product"),
    side(which, "payment_method"),
    side(which, "currency"),
    side(which, "amount", true),
    side(which, "units"),
  ]),
];

/** What was corrected or cancelled: of the period, by the day before or after; of the chosen currency. */
export function CorrectionsTable() {
  const { t } = useTranslation();
  const { span, period } = useShown();
  const { all, chosen } = useCurrencies();
  const currency = chosen?.code ?? null;
  const { category, payment_method, product } = useShownNarrowing();
  const range = span.from === null || span.to === null ? [period] : [span.from, span.to];
  return (
    <ListTable
      list="corrections"
      title={t("tables.corrections")}
      remark={all.length < 2 ? null : t("tables.oneCurrency", { currency })}
      missing={null}
      parameters={{ from: span.from, to: span.to, currency, category, payment_method, product }}
      searching={{ label: t("tables.search.corrections"), by: "search" }}
      columns={useColumns()}
      numeric={NUMERIC}
      keyOf={keyOf}
      sortable={SORTABLE}
      usual={USUAL}
      sortName={null}
      fields={FIELDS}
      named={[...range, currency, category, payment_method, product]}
    />
  );
}

function useColumns(): ColumnDef<Correction>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "when",
        accessorFn: (row) => row.epoch,
        header: t("table.when"),
        sortDescFirst: true,
        cell: ({ row: { original } }) => <When at={original.noticed_at} epoch={original.epoch} />,
      },
      { id: "order", enableSorting: false, header: t("table.order"), cell: ({ row }) => row.original.order_id },
      { id: "why", enableSorting: false, header: t("table.why"), cell: ({ row }) => <Why why={row.original.why} /> },
      { id: "change", enableSorting: false, header: t("table.change"), cell: ({ row }) => <Difference correction={row.original} /> },
      {
        id: "place",
        enableSorting: false,
        header: t("table.place"),
        cell: ({ row: { original } }) => (
          <span className="number" {...unmarked("place")}>{t("table.at", { topic: original.topic, partition: original.partition, offset: original.offset })}</span>
        ),
      },
    ],
    [t],
  );
}

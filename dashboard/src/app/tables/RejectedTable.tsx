import type { ColumnDef, SortingState } from "@tanstack/react-table";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Rejected } from "../../api/types";
import { unmarked } from "../../live/mark";
import type { Field } from "./csv";
import { ListTable } from "./ListTable";
import styles from "./Tables.module.css";

const NUMERIC = new Set(["partition", "offset"]);
const SORTABLE = ["epoch"];
const USUAL: SortingState = [{ id: "epoch", desc: true }];
const keyOf = ({ topic, partition, offset }: Rejected) => `${topic} ${partition} ${offset}`;

const FIELDS: readonly Field<Rejected>[] = [
  { name: "epoch", of: ({ epoch }) => epoch },
  { name: "topic", of: ({ topic }) => topic },
  { name: "partition", of: ({ partition }) => partition },
  { name: "offset", of: ({ offset }) => offset },
  { name: "reason", of: ({ reason }) => reason },
  { name: "key", of: ({ key }) => key ?? null },
  { name: "payload", of: ({ payload }) => payload ?? null },
  { name: "payload_cut", of: ({ payload_cut }) => String(payload_cut) },
];

/** The records that could not be read. They belong to no day and to no currency. */
export function RejectedTable() {
  const { t } = useTranslation();
  return (
    <ListTable
      list="rejected"
      title={t("tables.rejected")}
      remark={t("tables.noDay")}
      missing={null}
      parameters={ALL}
      searching={{ label: t("tables.search.rejected"), by: "reason" }}
      columns={useColumns()}
      numeric={NUMERIC}
      keyOf={keyOf}
      sortable={SORTABLE}
      usual={USUAL}
      sortName={null}
      fields={FIELDS}
      named={[]}
    />
  );
}

const ALL = {};

function useColumns(): ColumnDef<Rejected>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "epoch",
        accessorFn: (row) => row.epoch,
        header: t("table.when"),
        sortDescFirst: true,
        cell: ({ row }) => <span className="number" {...unmarked("epoch")}>{t("table.inEpoch", { epoch: row.original.epoch })}</span>,
      },
      { id: "reason", enableSorting: false, header: t("table.reason"), cell: ({ row }) => row.original.reason },
      {
        id: "payload",
        enableSorting: false,
        header: t("table.record"),
        cell: ({ row: { original } }) => <Payload payload={original.payload ?? null} payload_cut={original.payload_cut} />,
      },
      { id: "topic", enableSorting: false, header: t("table.topic"), cell: ({ row }) => row.original.topic },
      { id: "partition", enableSorting: false, header: t("table.partition"), cell: ({ row }) => row.original.partition },
      { id: "offset", enableSorting: false, header: t("table.offset"), cell: ({ row }) => row.original.offset },
    ],
    [t],
  );
}

/** The record as it came, in one line that can be opened. */
function Payload({ payload, payload_cut }: Pick<Rejected, "payload" | "payload_cut">) {
  const { t } = useTranslation();
  if (typeof payload !== "string") return <span className={styles.faint}>{t("tables.noPayload")}</span>;
  const text = payload_cut ? `${payload}…` : payload;
  if (text.length <= 60 && !text.includes("\n")) return <code className={styles.payload}>{text}</code>;
  return (
    <details className={styles.record}>
      <summary>
        <code className={styles.payload}>{text.slice(0, 60)}…</code>
      </summary>
      <pre>{text}</pre>
      {payload_cut && <p>{t("tables.payloadCut")}</p>}
    </details>
  );
}
